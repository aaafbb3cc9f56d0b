/* The contract between generated host code and the runtime that runs it.
 *
 * A host-code section is one ELF shared object. It has no undefined symbols
 * but those of libc and libm, no constructors, no writable globals, and
 * exports exactly one function:
 *
 *   int32_t adze_entry(adze_host_ctx *ctx, void *const *inputs,
 *                      void *const *outputs);
 *
 * inputs[i] and outputs[i] point to memref descriptors (adze_memref with
 * sizes[rank] and strides[rank] behind it). Inputs are contiguous row-major
 * and 64-byte aligned unless the signature says less; generated code never
 * writes them. The entry fills the output descriptors; the memory behind them
 * belongs to the request (arena, ctx->alloc), to an input, or to the weights,
 * and the runtime copies it out before the request ends. Element storage: bool
 * is one byte, 0 or 1; every other type has its natural size.
 *
 * Everything that generated code needs reaches it through ctx, so that one
 * artifact can serve several requests at once from several threads.
 */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADZE_HOST_ABI_VERSION 2

typedef struct adze_memref {
  void *allocated;
  void *aligned;
  int64_t offset; /* in elements */
  /* int64_t sizes[rank]; int64_t strides[rank]; in elements */
  int64_t dims[];
} adze_memref;

typedef struct adze_host_ctx adze_host_ctx;

/* Runs iterations [begin, end) of a parallel loop. */
typedef void (*adze_task_fn)(adze_host_ctx *ctx, void *env, int64_t begin, int64_t end);

/* Field order is the ABI: generated code loads function pointers by index
 * (lib/Runtime/HostAbi.h and passes/Lowering agree on it; a unit test checks
 * the offsets). */
struct adze_host_ctx {
  uint32_t abi_version;
  int32_t status;         /* 0, or the first error's adze status */
  const uint8_t *weights; /* base of the weights section */
  /* 64-byte aligned memory owned by the request; null never returns. Where it
   * fails (bytes may be negative after a wrong shape), the error is recorded
   * and the call does not return: see fail. */
  void *(*alloc)(adze_host_ctx *ctx, int64_t bytes);
  /* Gives memory of alloc back; a pointer into the slab is left alone. */
  void (*dealloc)(adze_host_ctx *ctx, void *p);
  /* The request's arena, at least `bytes` long, 64-byte aligned. Called once;
   * does not return where it fails. */
  void *(*slab)(adze_host_ctx *ctx, int64_t bytes);
  /* Places buffers whose sizes are known only now: sizes[n] in bytes,
   * first[n]/last[n] the lifetime of each in program order (inclusive);
   * fills offsets[n] (64-byte aligned) and returns the slab bytes needed; does
   * not return on a negative size. The plan is cached by sizes. */
  int64_t (*plan)(adze_host_ctx *ctx, int64_t n, const int64_t *sizes, const int32_t *first,
                  const int32_t *last, int64_t *offsets);
  /* Runs task over [0, count), in pieces of at least `grain` iterations, on
   * the request's threads; returns when all are done. The task must use the
   * ctx that it is given, never the outer one: it belongs to its thread. A
   * parallel_for inside a task runs in that task's thread. */
  void (*parallel_for)(adze_host_ctx *ctx, adze_task_fn task, void *env, int64_t count,
                       int64_t grain);
  /* Records the first error of the request, and leaves: the runtime unwinds
   * the entry (or this piece of a parallel loop, then the entry) with longjmp,
   * so generated code keeps nothing that would need cleaning up. `code` is an
   * exit-code class (1 invalid input, 7 resource); message is static text. Code
   * after the call must be valid all the same: given a ctx of another thread,
   * it returns. */
  void (*fail)(adze_host_ctx *ctx, int32_t code, const char *message);
  /* Called around each kernel when profiling; null otherwise. extents[count]
   * are the dynamic extents of its arguments, in order. */
  void (*kernel_begin)(adze_host_ctx *ctx, int32_t kernel);
  void (*kernel_end)(adze_host_ctx *ctx, int32_t kernel, const int64_t *extents, int64_t count);
  /* Asked at loop back-edges of long loops; leaves like fail once the request
   * is cancelled or late, else 0. Non-zero asks the code to leave. */
  int32_t (*cancelled)(adze_host_ctx *ctx);
};

typedef int32_t (*adze_entry_fn)(adze_host_ctx *ctx, void *const *inputs, void *const *outputs);

#ifdef __cplusplus
}
#endif
