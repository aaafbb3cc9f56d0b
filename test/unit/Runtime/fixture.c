/* A model by hand: what generated code may do, and what may go wrong in it.
 *
 * inputs   x float32[batch,n]   y float32[batch,n]   mode int32[]
 * outputs  sum float32[batch,n] = x + y             (allocated)
 *          scaled float32[batch,n] = sum * weights  (in the arena)
 *          same float32[batch,n] = x                (the input's memory)
 *          turned float32[n,batch] = transposed sum (a strided view)
 */
#include "lib/Runtime/HostAbi.h"

#include <math.h>

enum {
  NORMAL,
  ALLOC_TOO_MUCH,
  FAIL,
  FAIL_IN_TASK,
  FORGET,
  SPIN,
  RETURN_42,
  NESTED,
  ALLOC_NEGATIVE,
  CHECK_ALIGNMENT,
  SLAB_TOO_MUCH,
  PLAN_NEGATIVE,
  ALLOC_IN_TASK,
};

typedef struct {
  const float *x, *y;
  float *sum;
  int32_t mode;
} loop_env;

static void add(adze_host_ctx *ctx, void *p, int64_t begin, int64_t end) {
  loop_env *e = p;
  if (e->mode == FAIL_IN_TASK) ctx->fail(ctx, 1, "index out of range in a task");
  if (e->mode == ALLOC_IN_TASK)
    for (int i = 0; i < 100; ++i) {
      char *m = ctx->alloc(ctx, 100 + i);
      m[0] = m[99 + i] = 1;
      if (i & 1) ctx->dealloc(ctx, m);
    }
  for (int64_t i = begin; i < end; ++i) e->sum[i] = e->x[i] + e->y[i];
}

static void outer(adze_host_ctx *ctx, void *p, int64_t begin, int64_t end) {
  loop_env *e = p;
  for (int64_t i = begin; i < end; ++i) {
    loop_env row = {e->x + i, e->y + i, e->sum + i, NORMAL};
    ctx->parallel_for(ctx, add, &row, 1, 1);
  }
}

static void describe(adze_memref *m, void *allocated, void *data, int64_t d0, int64_t d1,
                     int64_t s0, int64_t s1) {
  m->allocated = allocated;
  m->aligned = data;
  m->offset = 0;
  m->dims[0] = d0;
  m->dims[1] = d1;
  m->dims[2] = s0;
  m->dims[3] = s1;
}

__attribute__((visibility("default"))) int32_t adze_entry(adze_host_ctx *ctx, void *const *inputs,
                                                          void *const *outputs) {
  const adze_memref *x = inputs[0], *y = inputs[1], *mode = inputs[2];
  volatile int64_t rows = x->dims[0];
  int64_t batch = rows, n = x->dims[1], count = batch * n;
  loop_env env = {x->aligned, y->aligned, 0, *(const int32_t *)mode->aligned};

  if (env.mode == ALLOC_TOO_MUCH) *(char *)ctx->alloc(ctx, INT64_C(1) << 60) = 1;
  if (env.mode == ALLOC_NEGATIVE) *(char *)ctx->alloc(ctx, -8) = 1;
  if (env.mode == SLAB_TOO_MUCH) *(char *)ctx->slab(ctx, INT64_C(1) << 60) = 1;
  if (env.mode == FAIL) {
    ctx->fail(ctx, 1, "index out of range");
    *(volatile int *)0 = 0; /* never reached */
  }
  if (env.mode == FORGET)
    for (int i = 0; i < 10; ++i) *(char *)ctx->alloc(ctx, 1000) = 1;
  if (env.mode == SPIN)
    while (!ctx->cancelled(ctx)) {
    }
  if (env.mode == RETURN_42) return 42;
  if (env.mode == CHECK_ALIGNMENT && (((intptr_t)x->aligned | (intptr_t)y->aligned) & 63))
    ctx->fail(ctx, 1, "misaligned");

  int64_t extents[2] = {batch, n};
  if (ctx->kernel_begin) ctx->kernel_begin(ctx, 0);
  env.sum = ctx->alloc(ctx, count * 4);
  if (env.mode == NESTED)
    ctx->parallel_for(ctx, outer, &env, count, 1);
  else
    ctx->parallel_for(ctx, add, &env, count, 1);
  if (ctx->kernel_end) ctx->kernel_end(ctx, 0, extents, 2);

  int64_t sizes[2] = {env.mode == PLAN_NEGATIVE ? -1 : count * 4, count * 4}, offsets[2];
  int32_t first[2] = {0, 1}, last[2] = {1, 2};
  char *slab = ctx->slab(ctx, ctx->plan(ctx, 2, sizes, first, last, offsets));
  float *scaled = (float *)(slab + offsets[1]);
  if (ctx->kernel_begin) ctx->kernel_begin(ctx, 1);
  /* e^0, which only libm knows. */
  float factor = *(const float *)ctx->weights * expf((float)(batch - x->dims[0]));
  for (int64_t i = 0; i < count; ++i) scaled[i] = env.sum[i] * factor;
  if (ctx->kernel_end) ctx->kernel_end(ctx, 1, extents, 2);

  describe(outputs[0], env.sum, env.sum, batch, n, n, 1);
  describe(outputs[1], slab, scaled, batch, n, n, 1);
  describe(outputs[2], x->allocated, x->aligned, batch, n, n, 1);
  describe(outputs[3], env.sum, env.sum, n, batch, 1, n);
  return 0;
}
