#include <adze/adze_rt.h>

#include <stdio.h>

/* Prints the signature of an artifact. */
int main(int argc, char **argv) {
  adze_model *model = 0;
  adze_status *status = adze_model_load_file(argc > 1 ? argv[1] : "", 0, &model);
  if (status) {
    int code = adze_status_code(status);
    fprintf(stderr, "%s\n", adze_status_message(status));
    adze_status_destroy(status);
    return code;
  }
  for (size_t i = 0; i < adze_model_input_count(model); ++i) {
    adze_tensor_info info = ADZE_INIT(adze_tensor_info);
    adze_status_destroy(adze_model_input(model, i, &info));
    printf("%s: %s, rank %d\n", info.name, adze_dtype_name(info.dtype), info.rank);
  }
  adze_model_destroy(model);
  return 0;
}
