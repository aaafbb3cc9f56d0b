/* A model for a device by hand: what its host code may do, and what may go wrong.
 *
 * inputs   x float32[n]   mode int32[]
 * outputs  y float32[n] = 3 x           (in the arena)
 *          same float32[n] = x          (the input's memory)
 *          even float32[half] = y[::2]  (a strided view)
 */
#include "lib/Runtime/HostAbi.h"

#include <stddef.h>

enum { SCALE, OVERRUN, STAGED, BOX };

enum {
  NORMAL,
  RUN_OVER,
  WRITE_NOTHING,
  SHARED_MEMORY,
  TENSOR_MAP,
  ALLOC_TOO_MUCH,
  ALLOC_NEGATIVE,
  FORGET,
  NO_BLOCKS,
  NO_SUCH_KERNEL,
  TOO_MANY_THREADS,
  COPIES,
  SPIN,
  READ_OUTSIDE,
  WRITE_INPUT,
  FAIL,
  BAD_MAP,
  COPY_NEGATIVE,
  SLAB_TOO_MUCH,
  USE_AFTER_FREE,
};

static void describe(adze_memref *m, void *data, int64_t size, int64_t stride) {
  m->allocated = m->aligned = data;
  m->offset = 0;
  m->dims[0] = size;
  m->dims[1] = stride;
}

static void launch(adze_host_ctx *ctx, int32_t kernel, const void *x, void *y, int64_t n,
                   uint32_t shared) {
  const void *weights = ctx->weights;
  uint32_t count = (uint32_t)n;
  uint32_t grid[6] = {(count + 127) / 128, 1, 1, 128, 1, 1};
  void *const arguments[] = {&x, &weights, &y, &count};
  ctx->device_launch(ctx, kernel, grid, shared, arguments);
}

static void box(adze_host_ctx *ctx, const void *x, void *y, int64_t n) {
  _Alignas(64) char map[128];
  int64_t shape[] = {1, 4, 0, 0, n, 4, 16};
  ctx->device_tensor_map(ctx, map, x, shape);
  uint32_t grid[6] = {(uint32_t)(n / 16), 1, 1, 32, 1, 1};
  void *const arguments[] = {map, &y};
  ctx->device_launch(ctx, BOX, grid, 0, arguments);
}

/* x to the host, doubled there, to new memory, copied there once more. */
static void copies(adze_host_ctx *ctx, const void *x, void *y, int64_t n) {
  float *there = ctx->device_alloc(ctx, n * 4), *again = ctx->device_alloc(ctx, n * 4);
  float *here = ctx->alloc(ctx, n * 4);
  ctx->device_read(ctx, here, x, n * 4);
  for (int64_t i = 0; i < n; ++i) here[i] *= 2;
  ctx->device_write(ctx, there, here, n * 4);
  ctx->device_copy(ctx, again, there, n * 4);
  ctx->device_dealloc(ctx, there);
  launch(ctx, SCALE, again, y, n, 0);
  ctx->device_dealloc(ctx, again);
  ctx->dealloc(ctx, here);
}

static void misbehave(adze_host_ctx *ctx, int32_t mode, const float *x, float *y, int64_t n) {
  uint32_t grid[6] = {1, 1, 1, 128, 1, 1};
  int64_t shape[] = {6, 4, 0, 0};
  float value = 1;
  void *p;
  switch (mode) {
    case ALLOC_TOO_MUCH:
      ctx->device_alloc(ctx, INT64_C(1) << 60);
      break;
    case ALLOC_NEGATIVE:
      ctx->device_alloc(ctx, -8);
      break;
    case FORGET:
      for (int i = 0; i < 10; ++i) ctx->device_alloc(ctx, 1000);
      break;
    case NO_BLOCKS:
      grid[1] = 0;
      ctx->device_launch(ctx, SCALE, grid, 0, NULL);
      break;
    case NO_SUCH_KERNEL:
      ctx->device_launch(ctx, 99, grid, 0, NULL);
      break;
    case TOO_MANY_THREADS:
      grid[4] = 2;
      ctx->device_launch(ctx, SCALE, grid, 0, NULL);
      break;
    case SPIN:
      for (;;) {
        launch(ctx, SCALE, x, y, n, 0);
        ctx->device_read(ctx, &value, y, 4);
      }
    case READ_OUTSIDE:
      ctx->device_read(ctx, &value, x + n, 4);
      break;
    case WRITE_INPUT:
      ctx->device_write(ctx, (void *)x, &value, 4);
      break;
    case FAIL:
      ctx->fail(ctx, 1, "index out of range");
      break;
    case BAD_MAP:
      ctx->device_tensor_map(ctx, NULL, x, shape);
      break;
    case COPY_NEGATIVE:
      ctx->device_copy(ctx, y, x, -4);
      break;
    case USE_AFTER_FREE:
      p = ctx->device_alloc(ctx, n * 4);
      ctx->device_dealloc(ctx, p);
      launch(ctx, SCALE, p, y, n, 0);
      break;
  }
}

__attribute__((visibility("default"))) int32_t adze_entry(adze_host_ctx *ctx, void *const *inputs,
                                                          void *const *outputs) {
  const adze_memref *in = inputs[0], *modeOf = inputs[1];
  const float *x = in->aligned;
  int64_t n = in->dims[0];
  int32_t mode;
  ctx->device_read(ctx, &mode, modeOf->aligned, 4);

  if (mode == SLAB_TOO_MUCH) ctx->slab(ctx, INT64_C(1) << 60);
  int64_t sizes[2] = {n * 4, n * 4}, offsets[2];
  int32_t first[2] = {0, 0}, last[2] = {1, 1};
  char *slab = ctx->slab(ctx, ctx->plan(ctx, 2, sizes, first, last, offsets));
  float *y = (float *)(slab + offsets[1]);

  misbehave(ctx, mode, x, y, n);
  if (ctx->kernel_begin) ctx->kernel_begin(ctx, 0);
  if (mode == TENSOR_MAP)
    box(ctx, x, y, n);
  else if (mode == COPIES)
    copies(ctx, x, y, n);
  else if (mode == SHARED_MEMORY)
    launch(ctx, STAGED, x, y, n, 65536 + 512);
  else if (mode != WRITE_NOTHING)
    launch(ctx, mode == RUN_OVER ? OVERRUN : SCALE, x, y, n, 0);
  if (ctx->kernel_end) ctx->kernel_end(ctx, 0, &n, 1);
  ctx->device_dealloc(ctx, y); /* in the arena: left alone */

  describe(outputs[0], y, n, 1);
  describe(outputs[1], in->aligned, n, 1);
  describe(outputs[2], y, (n + 1) / 2, 2);
  return 0;
}
