/* adze-rt-faults MODEL.adze [DEVICE]: loads and runs a model (of fixture.c, with a
 * device that of device_fixture.c) with the N-th allocation failing, for every N
 * up to 500 and many beyond. Each time: success, or a status that says so. */
#define _GNU_SOURCE
#include "adze/adze_rt.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Allocations until the failing one; negative: none fails. The emulator's threads
 * allocate too. */
static _Atomic long countdown = -1;
static _Atomic int fired;

static int failNow(void) {
  if (countdown < 0 || countdown-- != 0) return 0;
  fired = 1;
  errno = ENOMEM;
  return 1;
}

#define REAL(function)               \
  static __typeof__(function) *real; \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #function)

void *malloc(size_t size) {
  REAL(malloc);
  return failNow() ? 0 : real(size);
}

void *realloc(void *p, size_t size) {
  REAL(realloc);
  return failNow() ? 0 : real(p, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  REAL(aligned_alloc);
  return failNow() ? 0 : real(alignment, size);
}

static int check(adze_status *s) {
  int32_t code = adze_status_code(s);
  if (code == ADZE_INTERNAL || (code && !fired)) {
    fprintf(stderr, "unexpected: %s\n", adze_status_message(s));
    exit(1);
  }
  adze_status_destroy(s);
  return code == ADZE_OK;
}

static int set(adze_request *r, size_t index, int32_t dtype, int32_t rank, void *data) {
  const int64_t shape[] = {rank == 1 ? 64 : 4, 16};
  adze_tensor t = ADZE_INIT(adze_tensor);
  t.dtype = dtype;
  t.rank = rank;
  t.shape = shape;
  t.data = data;
  return check(adze_request_set_input(r, index, &t));
}

static int setInputs(adze_request *r, float *x, float *y, int32_t *mode, int device) {
  if (device) return set(r, 0, ADZE_FLOAT32, 1, x + 1) && set(r, 1, ADZE_INT32, 0, mode);
  return set(r, 0, ADZE_FLOAT32, 2, x + 1) && set(r, 1, ADZE_FLOAT32, 2, y) &&
         set(r, 2, ADZE_INT32, 0, mode);
}

static int once(const char *path, const char *device) {
  adze_model *m = 0;
  adze_request *r = 0;
  float x[65] = {1, 2}, y[64] = {4};
  int32_t mode = device ? 11 : 0; /* copies, which soon are a graph */
  adze_model_options options = ADZE_INIT(adze_model_options);
  options.threads = 2;
  options.device = device;
  int ok = check(adze_model_load_file(path, &options, &m)) &&
           check(adze_request_create(m, 0, &r)) && setInputs(r, x, y, &mode, device != 0) &&
           check(adze_request_run(r)) && check(adze_request_run(r));
  adze_tensor out = ADZE_INIT(adze_tensor);
  /* (2 + 4) * 3, or 2 * 2 * 3 */
  ok = ok && check(adze_request_output(r, !device, &out)) &&
       ((float *)out.data)[0] == (device ? 12.0f : 18.0f);
  /* A result that stays on the GPU. */
  if (device && strcmp(device, "cuda") == 0)
    ok = ok && check(adze_request_place_output(r, 0, ADZE_MEMORY_DEVICE, 0, 0)) &&
         check(adze_request_start(r)) && check(adze_request_wait(r)) &&
         check(adze_request_output(r, 0, &out)) && out.memory == ADZE_MEMORY_DEVICE;
  adze_request_destroy(r);
  adze_model_destroy(m);
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) return 2;
  long n = 0, faults = 0, survived = 0;
  /* The real functions are looked up now: inside dlerror, dlsym would free its text. */
  free(realloc(malloc(1), 2));
  free(aligned_alloc(64, 64));
  do {
    fired = 0;
    countdown = n;
    int ok = once(argv[1], argv[2]);
    countdown = -1;
    survived += ok;
    faults += fired;
    if (!ok && !fired) return fprintf(stderr, "failed without a fault\n"), 1;
    /* Every one, then fewer: reading PTX allocates ten thousand times alike. */
    n += 1 + n / 500;
  } while (fired && n < 100000);
  printf("%ld allocations failed in turn, %ld runs did without\n", faults, survived - 1);
  return faults < 20;
}
