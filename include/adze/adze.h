/* adze: the compiler's C API. One call compiles a model file to an artifact;
 * include/adze/adze_rt.h runs it. Thread-safe: no globals. No exception
 * crosses this boundary, nothing aborts on bad input.
 */
#ifndef ADZE_ADZE_H
#define ADZE_ADZE_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ADZE_API __attribute__((visibility("default")))
#else
#define ADZE_API
#endif

/* One message. Strings are valid during the callback only; absent ones are "".
 * severity: 0 note, 1 warning, 2 error. exit_code: class of the error (1
 * invalid model, 2 usage, 3 unsupported, 7 resource limit, 70 internal). */
typedef struct adze_diagnostic {
  int32_t severity;
  int32_t exit_code;
  const char *code;    /* "ADZ0214" */
  const char *message;
  const char *file;
  const char *node;    /* ONNX node name */
  const char *op_type;
  const char *help;
} adze_diagnostic;

typedef void (*adze_diagnostic_fn)(void *user, const adze_diagnostic *diagnostic);

typedef struct adze_compile_options {
  size_t struct_size;      /* sizeof(adze_compile_options) */
  const char *target;      /* null: "host" */
  const char *cpu;         /* null: "native" */
  /* "input=1x3x224x224" or "input=1..8x3x64..960", one a string; may be null */
  const char *const *shapes;
  size_t num_shapes;
  int32_t opt_level;       /* 0..3; -1: default */
  adze_diagnostic_fn on_diagnostic; /* may be null */
  void *user;
} adze_compile_options;

/* Compiles the ONNX file `model` to the artifact `output`. Returns 0, or the
 * exit code class of the first error; then no file is left behind. options may
 * be null. */
ADZE_API int32_t adze_compile(const char *model, const char *output,
                              const adze_compile_options *options);

/* "0.1.0" */
ADZE_API const char *adze_compiler_version(void);

#ifdef __cplusplus
}
#endif
#endif
