/* adze_rt.h: run .adze artifacts. The C API of libadze_rt.
 *
 * Shape of the API
 *   - A function that can fail returns adze_status *: NULL is success, else an
 *     object with a class, a stable id, a message and a hint, which the caller
 *     destroys. Nothing aborts, nothing throws, nothing is printed.
 *   - Structs begin with struct_size, set by the caller to sizeof of its own
 *     version; fields may be added at the end. ADZE_INIT(type) makes a zeroed
 *     one: `adze_model_options o = ADZE_INIT(adze_model_options);`
 *   - There are no globals. A model is immutable after loading and may be used
 *     from any number of threads. A request belongs to one thread at a time
 *     (adze_request_cancel excepted); make one for each thread. A request
 *     keeps what it needs of its model alive.
 *   - Indices count inputs, outputs, kernels and so on in signature order.
 *   - Strings are UTF-8 as the model had them, owned by the object they were
 *     asked of, valid until that is destroyed.
 *
 * A run
 *   adze_model *m; adze_request *r; adze_tensor x = ADZE_INIT(adze_tensor), y = x;
 *   adze_model_load_file("model.adze", NULL, &m);
 *   adze_request_create(m, NULL, &r);
 *   int64_t shape[] = {1, 3, 224, 224};
 *   x.dtype = ADZE_FLOAT32; x.rank = 4; x.shape = shape; x.data = pixels;
 *   adze_request_set_input(r, 0, &x);
 *   adze_request_run(r);
 *   adze_request_output(r, 0, &y);        // y.data valid until the next run
 */
#ifndef ADZE_RT_H
#define ADZE_RT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define ADZE_INIT(type) ([] { type t{}; t.struct_size = sizeof(type); return t; }())
#else
#define ADZE_INIT(type) ((type){.struct_size = sizeof(type)})
#endif

#define ADZE_RT_API __attribute__((visibility("default")))

/* ---- status ------------------------------------------------------------ */

/* Classes of errors; the same numbers are the tool's exit codes. */
enum {
  ADZE_OK = 0,
  ADZE_INVALID = 1,     /* an input, name or file is not what the model takes */
  ADZE_USAGE = 2,       /* the API was called wrongly: null, bad struct_size */
  ADZE_UNSUPPORTED = 3, /* the runtime cannot do this */
  ADZE_CHECK_FAILED = 4, /* the PTX emulator found an error in a kernel */
  ADZE_CORRUPT = 6,     /* artifact damaged, or made for another machine */
  ADZE_RESOURCE = 7,    /* out of memory, threads or file descriptors */
  ADZE_DEVICE = 8,      /* device or driver missing or failed */
  ADZE_INTERNAL = 70,   /* a bug in adze */
  ADZE_CANCELLED = 130  /* adze_request_cancel or the request's timeout */
};

typedef struct adze_status adze_status;

/* All take NULL (success) too. */
ADZE_RT_API int32_t adze_status_code(const adze_status *status);
/* "ADZ0703"; "" for success. docs/runtime.md lists them. */
ADZE_RT_API const char *adze_status_id(const adze_status *status);
ADZE_RT_API const char *adze_status_message(const adze_status *status);
/* What to do about it; may be "". */
ADZE_RT_API const char *adze_status_hint(const adze_status *status);
ADZE_RT_API void adze_status_destroy(adze_status *status);

/* "0.1.0" */
ADZE_RT_API const char *adze_rt_version(void);

/* ---- tensors ----------------------------------------------------------- */

/* Element types, numbered as onnx.TensorProto.DataType. A bool is one byte, 0
 * or 1. Types narrower than a byte and strings may stand in a signature, but
 * cannot be run. */
enum {
  ADZE_UNDEFINED = 0,
  ADZE_FLOAT32 = 1,
  ADZE_UINT8 = 2,
  ADZE_INT8 = 3,
  ADZE_UINT16 = 4,
  ADZE_INT16 = 5,
  ADZE_INT32 = 6,
  ADZE_INT64 = 7,
  ADZE_STRING = 8,
  ADZE_BOOL = 9,
  ADZE_FLOAT16 = 10,
  ADZE_FLOAT64 = 11,
  ADZE_UINT32 = 12,
  ADZE_UINT64 = 13,
  ADZE_COMPLEX64 = 14,
  ADZE_COMPLEX128 = 15,
  ADZE_BFLOAT16 = 16,
  ADZE_FLOAT8E4M3FN = 17,
  ADZE_FLOAT8E4M3FNUZ = 18,
  ADZE_FLOAT8E5M2 = 19,
  ADZE_FLOAT8E5M2FNUZ = 20,
  ADZE_UINT4 = 21,
  ADZE_INT4 = 22,
  ADZE_FLOAT4E2M1 = 23,
  ADZE_FLOAT8E8M0 = 24,
  ADZE_UINT2 = 25,
  ADZE_INT2 = 26
};

/* "float32"; "undefined" for numbers that name no type. */
ADZE_RT_API const char *adze_dtype_name(int32_t dtype);
/* Bytes of one element; 0 for types that cannot be run. */
ADZE_RT_API size_t adze_dtype_bytes(int32_t dtype);

/* Where a tensor is: in the host's memory, or in that of the GPU that runs the model
 * (the model's device is "cuda"), at an address of its driver or runtime. */
enum { ADZE_MEMORY_HOST = 0, ADZE_MEMORY_DEVICE = 1 };

/* A dense tensor. */
typedef struct adze_tensor {
  size_t struct_size;
  int32_t dtype;
  int32_t rank;
  const int64_t *shape;   /* rank extents; may be NULL for rank 0 */
  const int64_t *strides; /* rank strides in elements; NULL: row-major */
  void *data;             /* any alignment; may be NULL when there are no elements */
  size_t bytes;           /* size of the memory at data; 0: not said, not checked */
  int32_t memory;         /* ADZE_MEMORY_HOST, ... */
  int32_t reserved;       /* zero */
} adze_tensor;

/* What the signature says of one input or output. */
typedef struct adze_tensor_info {
  size_t struct_size;
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *dims;          /* rank extents; -1 where not fixed */
  const char *const *symbols;   /* rank names: equal names are equal extents; "" none */
} adze_tensor_info;

/* ---- thread pools ------------------------------------------------------ */

/* Threads shared by the models that are given it. Its threads start with the
 * first parallel run. Models keep it alive. */
typedef struct adze_pool adze_pool;

/* threads: 0 means one for each CPU that the process may use. */
ADZE_RT_API adze_status *adze_pool_create(int32_t threads, adze_pool **pool);
ADZE_RT_API void adze_pool_destroy(adze_pool *pool);

/* ---- models ------------------------------------------------------------ */

typedef struct adze_model adze_model;

typedef struct adze_model_options {
  size_t struct_size;
  int32_t threads;    /* of the model's own pool, used when pool is NULL; 0: all CPUs */
  int32_t reserved;   /* zero */
  adze_pool *pool;    /* may be NULL */
  /* What runs it: "host", "cuda" (a GPU; "cuda:1" the second; more in docs/runtime.md),
   * "ptx-emulator" (a GPU's kernels on the CPU, checked; "ptx-emulator:sm_80" those
   * for that GPU). NULL or "": host for a host artifact, cuda for a CUDA one. */
  const char *device;
} adze_model_options;

/* Maps and checks an artifact, checksums included, before any of its code is
 * mapped; weights stay in the file. options may be NULL. The file must not be
 * written to while the model lives; replacing it by rename is fine. */
ADZE_RT_API adze_status *adze_model_load_file(const char *path, const adze_model_options *options,
                                              adze_model **model);
/* The same from memory, which must outlive the model and its requests. Weights
 * are copied only when the memory is not 64-byte aligned. */
ADZE_RT_API adze_status *adze_model_load_memory(const void *data, size_t size,
                                                const adze_model_options *options,
                                                adze_model **model);
/* Requests that still exist go on working. */
ADZE_RT_API void adze_model_destroy(adze_model *model);

ADZE_RT_API size_t adze_model_input_count(const adze_model *model);
ADZE_RT_API size_t adze_model_output_count(const adze_model *model);
ADZE_RT_API adze_status *adze_model_input(const adze_model *model, size_t index,
                                          adze_tensor_info *info);
ADZE_RT_API adze_status *adze_model_output(const adze_model *model, size_t index,
                                           adze_tensor_info *info);
/* Index by name, or -1. */
ADZE_RT_API int64_t adze_model_find_input(const adze_model *model, const char *name);
ADZE_RT_API int64_t adze_model_find_output(const adze_model *model, const char *name);

/* The model's metadata_props. value_size counts bytes without the final NUL;
 * a value may hold NULs of its own. */
ADZE_RT_API size_t adze_model_metadata_count(const adze_model *model);
ADZE_RT_API adze_status *adze_model_metadata(const adze_model *model, size_t index,
                                             const char **key, const char **value,
                                             size_t *value_size);

typedef struct adze_kernel_info {
  size_t struct_size;
  const char *name;
  const char *kind;          /* "matmul", "conv", "elementwise", ... */
  const char *const *nodes;  /* the ONNX nodes that it computes */
  size_t node_count;
  /* What a launch does, in postfix over the dynamic extents e0, e1, ... of the
   * kernel's arguments ("e0 e1 * 2304 *"); "": not known. Bytes are those of
   * its arguments, each counted once. */
  const char *flops;
  int64_t bytes;             /* read and written, where they are constant; else 0 */
  const char *bytes_read;
  const char *bytes_written;
} adze_kernel_info;

ADZE_RT_API size_t adze_model_kernel_count(const adze_model *model);
ADZE_RT_API adze_status *adze_model_kernel(const adze_model *model, size_t index,
                                           adze_kernel_info *info);

/* Every ONNX node and the kernel that computes it; kernel -1: folded away. */
ADZE_RT_API size_t adze_model_node_count(const adze_model *model);
ADZE_RT_API adze_status *adze_model_node(const adze_model *model, size_t index, const char **name,
                                         int64_t *kernel);

typedef struct adze_model_info {
  size_t struct_size;
  const char *compiler_version;
  const char *target;           /* "host", "cuda" */
  const char *triple;
  const char *cpu;
  const char *flags;            /* the compile's options */
  uint64_t model_hash;          /* xxh3 of the model file */
  int64_t weights_bytes;
  int64_t code_bytes;           /* all code in the file, of all devices */
  int64_t arena_bytes;          /* memory plan: static part of the arena */
  int64_t peak_live_bytes;      /* least memory any plan could need */
  size_t planned_buffer_count;
  const char *product;          /* the GPU that it is loaded on, as its driver calls it, or "" */
} adze_model_info;

ADZE_RT_API adze_status *adze_model_get_info(const adze_model *model, adze_model_info *info);

typedef struct adze_planned_buffer {
  size_t struct_size;
  int64_t kernel;               /* producing kernel; -1: none */
  int64_t first, last;          /* lifetime in program order, inclusive */
  int64_t offset, size;         /* bytes in the arena */
} adze_planned_buffer;

ADZE_RT_API adze_status *adze_model_planned_buffer(const adze_model *model, size_t index,
                                                   adze_planned_buffer *buffer);

/* Page-locked host memory of a model on a GPU: what its requests' inputs and results
 * go through. All zero for other devices. */
typedef struct adze_host_memory {
  size_t struct_size;
  int64_t limit;       /* bytes at most */
  int64_t held;        /* bytes now, those kept for later included */
  int64_t in_use;
  int64_t most_in_use; /* at once until now */
  int64_t refused;     /* blocks that ordinary memory had to take */
} adze_host_memory;

ADZE_RT_API adze_status *adze_model_get_host_memory(const adze_model *model,
                                                    adze_host_memory *memory);

/* Waits for all that anybody has enqueued on the model's GPU; else does nothing. */
ADZE_RT_API adze_status *adze_model_synchronize(const adze_model *model);

/* ---- requests ---------------------------------------------------------- */

typedef struct adze_request adze_request;

typedef struct adze_request_options {
  size_t struct_size;
  int64_t memory_limit; /* bytes of arena, temporaries and outputs; 0: none */
  int64_t timeout_ms;   /* of each run, from its start; 0: none */
} adze_request_options;

/* options may be NULL. Memory that a run needed is kept for the next one. */
ADZE_RT_API adze_status *adze_request_create(const adze_model *model,
                                             const adze_request_options *options,
                                             adze_request **request);
/* A run in flight in another thread is cancelled and cleans up after itself. */
ADZE_RT_API void adze_request_destroy(adze_request *request);

/* Checks dtype, rank, extents and strides against the signature; symbols are
 * compared when the request runs. The shape is copied; the data must stay in
 * place until the last run that uses it has returned, and is never written.
 * Data that is strided or not 64-byte aligned is copied at each run, and on a
 * device with its own memory all is. A tensor in a GPU's memory is row-major, and used
 * where it is if it is 64-byte aligned; adze_request_set_stream says when it is ready. */
ADZE_RT_API adze_status *adze_request_set_input(adze_request *request, size_t index,
                                                const adze_tensor *tensor);
/* The same from DLPack (on a CPU, or on the model's GPU). On success the request owns the
 * tensor and calls its deleter when the input is set again or the request goes: for a
 * request without a stream of the caller's when no work needs it any more, else in the
 * order of that stream. */
struct DLManagedTensor;
ADZE_RT_API adze_status *adze_request_set_input_dlpack(adze_request *request, size_t index,
                                                       struct DLManagedTensor *tensor);
/* Results of output `index` go to this memory from now on. A run whose result
 * needs more than `bytes` fails with ADZE_INVALID. NULL unbinds. */
ADZE_RT_API adze_status *adze_request_bind_output(adze_request *request, size_t index, void *data,
                                                  size_t bytes);

/* The same for memory of either kind; bind_output is that of the host. NULL: results of
 * this output lie in memory of the library's, of that kind. What a GPU is to write may
 * be read when the run is waited for, or by what follows on its stream. */
ADZE_RT_API adze_status *adze_request_place_output(adze_request *request, size_t index,
                                                   int32_t memory, void *data, size_t bytes);
/* A CUstream (or cudaStream_t) of the model's GPU, which runs do their work on from now
 * on; NULL: on one of the request's own. CUDA's default streams are (void *)1, the
 * legacy one, and (void *)2, each thread's. What was enqueued there before comes before a
 * run, so that its inputs may be made there; for a stream of the request's own they have
 * to be ready. It must be there until the last run on it has returned. */
ADZE_RT_API adze_status *adze_request_set_stream(adze_request *request, void *stream);

/* Runs to the end in this thread (and the pool's). After an error the request
 * can be run again; outputs of an earlier run are gone. */
ADZE_RT_API adze_status *adze_request_run(adze_request *request);
/* The two halves of a run. On a GPU, start returns when the work has been enqueued:
 * requests that take turns in one thread so let copies of one overlap kernels of
 * another. Until wait, which hands the results out, inputs stay in place, and nothing
 * else may be asked of the request but to cancel or destroy it. Other devices do all
 * the work in start. A wait without a start does nothing.
 * Where all inputs and outputs are in a GPU's memory, start needs no wait: results can
 * be asked for at once, what is enqueued on the stream afterwards finds them there, and
 * the next start comes behind. Inputs stay in place until then. A wait waits for the
 * GPU, and tells of errors in its kernels. */
ADZE_RT_API adze_status *adze_request_start(adze_request *request);
ADZE_RT_API adze_status *adze_request_wait(adze_request *request);

/* Shape, dtype and data of a result: row-major, valid until the request runs
 * again or is destroyed (bound memory: for as long as the caller keeps it). */
ADZE_RT_API adze_status *adze_request_output(const adze_request *request, size_t index,
                                             adze_tensor *tensor);
/* The same as DLPack: the memory lives until its deleter is called, whatever
 * becomes of the request. Bound outputs are refused. */
ADZE_RT_API adze_status *adze_request_output_dlpack(adze_request *request, size_t index,
                                                    struct DLManagedTensor **tensor);

/* From any thread: the run in flight ends soon with ADZE_CANCELLED. Without
 * one, it does nothing. */
ADZE_RT_API void adze_request_cancel(adze_request *request);

/* Called after each kernel of a run, in the running thread, with times of
 * CLOCK_MONOTONIC in nanoseconds. It must not call into the request. NULL
 * turns profiling off, which then costs nothing. */
typedef void (*adze_profile_fn)(void *user, int64_t kernel, int64_t begin_ns, int64_t end_ns);
ADZE_RT_API adze_status *adze_request_set_profile(adze_request *request, adze_profile_fn callback,
                                                  void *user);

/* The same with what each launch did, and with the pieces of its parallel loops.
 * It takes the place of a profile, and a profile of it. */
typedef struct adze_trace_event {
  int64_t kernel;
  int64_t thread; /* of a piece: 0 is the running thread; -1: a whole launch */
  int64_t begin_ns, end_ns;
  int64_t flops, bytes_read, bytes_written; /* of a launch; -1: not known */
} adze_trace_event;
typedef void (*adze_trace_fn)(void *user, const adze_trace_event *event);
ADZE_RT_API adze_status *adze_request_set_trace(adze_request *request, adze_trace_fn callback,
                                                void *user);

/* What the PTX emulator found at one instruction of a kernel. The strings live
 * until the callback returns. */
typedef struct adze_finding {
  size_t struct_size;      /* set by the library */
  const char *kind;        /* "out-of-bounds"; docs/emulator.md lists them */
  const char *message;     /* of the first time */
  const char *instruction;
  const char *source;      /* "model.mlir:12", or "" */
  const char *node;        /* ONNX nodes, as the PTX names them, or "" */
  int64_t line;            /* in the PTX */
  int64_t count;           /* times */
  int32_t advice;          /* 1: it costs time, the results are right */
} adze_finding;

/* One launch on the PTX emulator. */
typedef struct adze_emulation {
  size_t struct_size;      /* set by the library */
  const char *kernel;
  int64_t blocks;
  int64_t instructions;    /* of warps */
  int64_t global_bytes, global_sectors;        /* sectors of 32 bytes */
  int64_t shared_accesses, shared_wavefronts;  /* equal where no banks conflict */
  int64_t tensor_flops;
  const adze_finding *const *findings;
  size_t finding_count;
  int64_t threads, shared_bytes; /* of a block */
  /* Instructions of warps once more, by the pipe that takes them: "alu", "tensor". */
  const char *const *pipes;
  const int64_t *pipe_instructions;
  size_t pipe_count;
  int64_t model_kernel;          /* that it is of, as in adze_model_kernel; -1: not known */
} adze_emulation;

/* Called after each launch of a run on the PTX emulator, in the running thread;
 * findings then do not end the run, which else fails with ADZE_CHECK_FAILED. A
 * launch that cannot end (a deadlock, a trap) does so in any case. `seed` orders
 * the warps of a block. Other devices never call. It must not call into the
 * request. */
typedef void (*adze_emulation_fn)(void *user, const adze_emulation *launch);
ADZE_RT_API adze_status *adze_request_set_emulation(adze_request *request, uint64_t seed,
                                                    adze_emulation_fn callback, void *user);

typedef struct adze_request_info {
  size_t struct_size;
  int64_t arena_bytes;     /* held by the arena now */
  int64_t temporary_bytes; /* held by other temporaries and outputs now */
  int64_t peak_bytes;      /* most held at once by the last run */
  int64_t plan_bytes;      /* the arena's part that its plan uses; 0 before it is known */
  int64_t plan_peak_bytes; /* most of those alive at once: no plan needs less */
} adze_request_info;

ADZE_RT_API adze_status *adze_request_get_info(const adze_request *request,
                                               adze_request_info *info);

/* ---- this machine ------------------------------------------------------ */

/* Does this CPU (and its operating system) have the feature LLVM calls so?
 * 1 yes, 0 no, -1 the runtime does not know the name. */
ADZE_RT_API int32_t adze_cpu_has_feature(const char *name);

#ifdef __cplusplus
}
#endif
#endif
