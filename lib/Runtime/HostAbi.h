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
 *
 * Code for a device with a memory of its own is such an object too: it computes
 * extents and addresses, launches the device's kernels through ctx, and runs what
 * the device does not. Then inputs, outputs, weights and the slab are the
 * device's memory, whose addresses this code adds to but never reads through;
 * what it reads, it has copied.
 */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADZE_HOST_ABI_VERSION 3

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

  /* The rest is null but for code of a device with its own memory. Work is
   * enqueued in program order. Functions that cannot do what is asked record the
   * error and do not return, as above. */

  /* Device memory of the request, 256-byte aligned, and giving it back. */
  void *(*device_alloc)(adze_host_ctx *ctx, int64_t bytes);
  void (*device_dealloc)(adze_host_ctx *ctx, void *p);
  /* Enqueues the device kernel of that number in the variant's table.
   * grid_block: blocks in x, y, z, then threads of a block in x, y, z; a launch of
   * no block does nothing. shared: bytes of dynamic shared memory. arguments[i]
   * points to the value of parameter i, of the size that the table says. */
  void (*device_launch)(adze_host_ctx *ctx, int32_t kernel, const uint32_t *grid_block,
                        uint32_t shared, void *const *arguments);
  /* Copies between host and device, when all before is done; on return the
   * copy is done. Negative byte counts are errors. */
  void (*device_read)(adze_host_ctx *ctx, void *host, const void *device, int64_t bytes);
  void (*device_write)(adze_host_ctx *ctx, void *device, const void *host, int64_t bytes);
  /* Enqueues a copy within device memory. */
  void (*device_copy)(adze_host_ctx *ctx, void *to, const void *from, int64_t bytes);
  /* Fills the 128 bytes of a tensor map (a kernel parameter) over device memory.
   * shape: rank (1 to 5), bytes of an element, bytes of the swizzle's pattern
   * (0, 32, 64, 128), 0; then `rank` extents, innermost first; `rank` strides in
   * bytes, the first that of the element; `rank` extents of the box. */
  void (*device_tensor_map)(adze_host_ctx *ctx, void *map, const void *device,
                            const int64_t *shape);
  /* As device_read, of memory that is about to be written in part or in all: bytes
   * that nothing has written yet may be among it. */
  void (*device_stage)(adze_host_ctx *ctx, void *host, const void *device, int64_t bytes);
  /* The weights section in the host's memory. */
  const uint8_t *host_weights;
};

typedef int32_t (*adze_entry_fn)(adze_host_ctx *ctx, void *const *inputs, void *const *outputs);

#ifdef __cplusplus
}
#endif
