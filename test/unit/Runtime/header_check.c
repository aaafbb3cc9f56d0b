#include "adze/adze_rt.h"

int adze_header_check(const char *path) {
  adze_model_options options = ADZE_INIT(adze_model_options);
  adze_model *model = 0;
  adze_status *status = adze_model_load_file(path, &options, &model);
  int code = adze_status_code(status);
  adze_status_destroy(status);
  adze_model_destroy(model);
  return code;
}
