#include <adze/adze.h>

#include <stdio.h>

/* Compiling a file that is not there is an error, not a crash. */
int main(void) {
  adze_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.opt_level = -1;
  printf("adze %s\n", adze_compiler_version());
  return adze_compile("/nonexistent.onnx", "/nonexistent.adze", &options) != 0 ? 0 : 1;
}
