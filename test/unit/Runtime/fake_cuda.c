/* A CUDA driver for tests, under the real one's name: its device memory is malloc's,
 * its kernels are those of device_fixture.ptx written in C. It is strict: only
 * functions of CUDA 12.0, only what it made itself, and nothing without a current
 * context. Work on a stream waits until somebody waits for the stream.
 *
 * fake_log: every call; fake_fail: makes one fail; fake_live: what was not freed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  INVALID_CONTEXT = 201,
  NO_BINARY_FOR_GPU = 209,
  INVALID_PTX = 218,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  ILLEGAL_ADDRESS = 700,
  CAPTURE_UNSUPPORTED = 900,
};

static char logText[1 << 16];
static size_t logEnd;
static struct {
  char name[40];
  int result, after;
} failing;
static int major = 9, minor = 0, devices = 1, initialised, contexts, depth, live;

static int say(const char *name, const char *more, long long number) {
  int room = (int)(sizeof logText - logEnd);
  int n = snprintf(logText + logEnd, (size_t)room, "%s%s%s %lld\n", name, *more ? " " : "", more,
                   number);
  if (n < room) logEnd += (size_t)n;
  if (strcmp(name, failing.name) != 0 || failing.after-- > 0) return SUCCESS;
  failing.name[0] = 0;
  return failing.result;
}

EXPORT void fake_reset(int newMajor, int newMinor, int newDevices) {
  logEnd = 0, logText[0] = 0, failing.name[0] = 0;
  major = newMajor, minor = newMinor, devices = newDevices;
}
EXPORT const char *fake_log(void) { return logText; }
EXPORT void fake_fail(const char *name, int result, int after) {
  snprintf(failing.name, sizeof failing.name, "%s", name);
  failing.result = result, failing.after = after;
}
/* Allocations, modules, streams and contexts; -1 where a context was left current. */
EXPORT int fake_live(void) { return depth ? -1 : live; }

#define BEGIN(name, more, number)                      \
  do {                                                 \
    int result = say(name, more, (long long)(number)); \
    if (result) return result;                         \
  } while (0)
#define NEED_CONTEXT() \
  if (!depth) return INVALID_CONTEXT

/* ---- objects, told apart by their first word */
enum { CONTEXT = 0x1234, MODULE, FUNCTION, STREAM, GRAPH, GRAPH_EXEC };
typedef struct {
  int kind;
} object;
static object context = {CONTEXT};

typedef struct {
  int kind;
  char *text;
} module;

typedef struct {
  int kind, largest;
  char name[40];
} function;
static function functions[16];

static int is(const void *p, int kind) { return p && ((const object *)p)->kind == kind; }

/* ---- memory */
typedef struct {
  char *base;
  size_t bytes;
} block;
static block blocks[256];

/* Whether a block has all of these bytes. */
static int inside(uint64_t p, size_t bytes) {
  for (int i = 0; i < 256; ++i)
    if (blocks[i].base && p >= (uint64_t)blocks[i].base && bytes <= blocks[i].bytes &&
        p - (uint64_t)blocks[i].base <= blocks[i].bytes - bytes)
      return 1;
  return 0;
}

/* ---- work on a stream */
typedef struct {
  function *f; /* null: a copy */
  void *to;
  const void *from;
  size_t bytes;
  const float *x, *w;
  float *y;
  uint32_t n;
} work;
typedef struct {
  int kind, count;
  work steps[64];
} graph;
typedef struct {
  int kind, count;
  work queue[64];
  graph *capturing;
} stream;

static int add(stream *s, work w) {
  if (!is(s, STREAM) || s->count == 64) return INVALID_HANDLE;
  if (s->capturing) /* only work within the device's memory */
    return inside((uint64_t)w.to, w.bytes) || w.f
               ? (s->capturing->steps[s->capturing->count++] = w, SUCCESS)
               : CAPTURE_UNSUPPORTED;
  s->queue[s->count++] = w;
  return SUCCESS;
}

static int perform(const work *w) {
  if (!w->f) return memmove(w->to, w->from, w->bytes), SUCCESS;
  uint32_t n = strcmp(w->f->name, "overrun") == 0 ? (w->n + 127) / 128 * 128 : w->n;
  if (!inside((uint64_t)w->x, 4ull * n) || !inside((uint64_t)w->y, 4ull * n))
    return ILLEGAL_ADDRESS;
  for (uint32_t i = 0; i < n; ++i) w->y[i] = w->w ? w->x[i] * *w->w : w->x[i];
  return SUCCESS;
}

/* ---- the driver's functions */
static int init(unsigned flags) {
  BEGIN("Init", "", flags);
  initialised = 1;
  return SUCCESS;
}
static int getErrorName(int result, const char **text) {
  *text = result == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_FAKE";
  return SUCCESS;
}
static int getErrorString(int result, const char **text) {
  *text = "as the test wants it";
  return result == 999 ? INVALID_VALUE : SUCCESS;
}
static int deviceGetCount(int *count) {
  BEGIN("DeviceGetCount", "", 0);
  *count = devices;
  return initialised ? SUCCESS : NOT_INITIALIZED;
}
static int deviceGet(int *device, int ordinal) {
  BEGIN("DeviceGet", "", ordinal);
  *device = 40 + ordinal;
  return ordinal < devices ? SUCCESS : INVALID_VALUE;
}
static int deviceGetName(char *name, int bytes, int device) {
  BEGIN("DeviceGetName", "", device);
  snprintf(name, (size_t)bytes, "Fake GPU %d", device - 40);
  return SUCCESS;
}
static int deviceGetAttribute(int *value, int attribute, int device) {
  BEGIN("DeviceGetAttribute", "", attribute);
  *value = attribute == 75 ? major : attribute == 76 ? minor : attribute == 97 ? 227 << 10 : -1;
  return device >= 40 ? SUCCESS : INVALID_VALUE;
}
static int primaryRetain(object **out, int device) {
  BEGIN("DevicePrimaryCtxRetain", "", device);
  *out = &context, ++contexts, ++live;
  return SUCCESS;
}
static int primaryRelease(int device) {
  BEGIN("DevicePrimaryCtxRelease", "", device);
  --contexts, --live;
  return SUCCESS;
}
static int push(object *c) {
  BEGIN("CtxPushCurrent", "", 0);
  if (!is(c, CONTEXT) || !contexts) return INVALID_CONTEXT;
  ++depth;
  return SUCCESS;
}
static int pop(object **c) {
  BEGIN("CtxPopCurrent", "", 0);
  NEED_CONTEXT();
  *c = &context, --depth;
  return SUCCESS;
}
static int moduleLoad(module **out, const void *image, unsigned count, int *options,
                      void **values) {
  int cubin = memcmp(image, "\177ELF", 4) == 0;
  BEGIN("ModuleLoadDataEx", cubin ? "cubin" : "ptx", count);
  NEED_CONTEXT();
  if (cubin && strstr(image, "broken")) return NO_BINARY_FOR_GPU;
  if (!cubin && !strstr(image, ".address_size 64")) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == 5) strcpy(values[i], "ptxas fatal: no address size");
    return INVALID_PTX;
  }
  module *m = calloc(1, sizeof *m);
  char *text = m ? strdup(image) : 0;
  if (!text) return free(m), OUT_OF_MEMORY;
  m->kind = MODULE, m->text = text, *out = m, ++live;
  return SUCCESS;
}
static int moduleUnload(module *m) {
  BEGIN("ModuleUnload", "", 0);
  NEED_CONTEXT();
  if (!is(m, MODULE)) return INVALID_HANDLE;
  free(m->text);
  free(m);
  --live;
  return SUCCESS;
}
static int getFunction(function **out, module *m, const char *name) {
  BEGIN("ModuleGetFunction", name, 0);
  NEED_CONTEXT();
  if (!is(m, MODULE)) return INVALID_HANDLE;
  char entry[64];
  snprintf(entry, sizeof entry, ".entry %s(", name);
  if (memcmp(m->text, "\177ELF", 4) != 0 && !strstr(m->text, entry)) return NOT_FOUND;
  function *f = functions;
  while (f->kind && strcmp(f->name, name) != 0) ++f;
  f->kind = FUNCTION, f->largest = 48 << 10;
  snprintf(f->name, sizeof f->name, "%s", name);
  *out = f;
  return SUCCESS;
}
static int functionGet(int *value, int attribute, function *f) {
  BEGIN("FuncGetAttribute", f->name, attribute);
  NEED_CONTEXT();
  *value = attribute == 1 && strcmp(f->name, "box") == 0 ? 1024 : 0;
  return SUCCESS;
}
static int functionSet(function *f, int attribute, int value) {
  BEGIN("FuncSetAttribute", f->name, value);
  NEED_CONTEXT();
  if (attribute != 8 || value > 227 << 10) return INVALID_VALUE;
  f->largest = value;
  return SUCCESS;
}
static int allocate(uint64_t *p, size_t bytes) {
  BEGIN("MemAlloc", "", bytes);
  NEED_CONTEXT();
  int i = 0;
  while (i < 256 && blocks[i].base) ++i;
  if (bytes == 0 || i == 256) return INVALID_VALUE;
  if (bytes > 1ull << 40 || !(blocks[i].base = aligned_alloc(256, (bytes + 255) / 256 * 256)))
    return OUT_OF_MEMORY;
  memset(blocks[i].base, 0xcd, bytes);
  blocks[i].bytes = bytes, *p = (uint64_t)blocks[i].base, ++live;
  return SUCCESS;
}
static int release(uint64_t p) {
  BEGIN("MemFree", "", 0);
  NEED_CONTEXT();
  for (int i = 0; i < 256; ++i) {
    if ((uint64_t)blocks[i].base != p) continue;
    free(blocks[i].base);
    blocks[i].base = 0, --live;
    return SUCCESS;
  }
  return INVALID_VALUE;
}
static int toDevice(uint64_t to, const void *from, size_t bytes, stream *s) {
  BEGIN("MemcpyHtoDAsync", "", bytes);
  NEED_CONTEXT();
  if (bytes == 0 || !inside(to, bytes)) return INVALID_VALUE;
  return add(s, (work){.to = (void *)to, .from = from, .bytes = bytes});
}
static int toHost(void *to, uint64_t from, size_t bytes, stream *s) {
  BEGIN("MemcpyDtoHAsync", "", bytes);
  NEED_CONTEXT();
  if (bytes == 0 || !inside(from, bytes)) return INVALID_VALUE;
  return add(s, (work){.to = to, .from = (void *)from, .bytes = bytes});
}
static int onDevice(uint64_t to, uint64_t from, size_t bytes, stream *s) {
  BEGIN("MemcpyDtoDAsync", "", bytes);
  NEED_CONTEXT();
  if (!inside(from, bytes) || !inside(to, bytes)) return INVALID_VALUE;
  return add(s, (work){.to = (void *)to, .from = (void *)from, .bytes = bytes});
}
static int streamCreate(stream **s, unsigned flags) {
  BEGIN("StreamCreate", "", flags);
  NEED_CONTEXT();
  stream *made = calloc(1, sizeof *made);
  if (!made) return OUT_OF_MEMORY;
  made->kind = STREAM, *s = made, ++live;
  return SUCCESS;
}
static int streamSynchronize(stream *s) {
  BEGIN("StreamSynchronize", "", is(s, STREAM) ? s->count : -1);
  NEED_CONTEXT();
  if (!is(s, STREAM)) return INVALID_HANDLE;
  if (s->capturing) return CAPTURE_UNSUPPORTED;
  int result = SUCCESS;
  for (int i = 0; i < s->count && !result; ++i) result = perform(&s->queue[i]);
  s->count = 0;
  return result;
}
static graph *makeGraph(int kind, const graph *from) {
  graph *g = calloc(1, sizeof *g);
  if (!g) return 0;
  if (from) *g = *from;
  g->kind = kind, ++live;
  return g;
}
static int beginCapture(stream *s, int mode) {
  BEGIN("StreamBeginCapture", "", mode);
  NEED_CONTEXT();
  if (!is(s, STREAM) || s->capturing) return INVALID_HANDLE;
  return (s->capturing = makeGraph(GRAPH, 0)) ? SUCCESS : OUT_OF_MEMORY;
}
static int endCapture(stream *s, graph **out) {
  if (!is(s, STREAM) || !s->capturing) return INVALID_HANDLE;
  graph *g = s->capturing;
  s->capturing = 0;
  int result = say("StreamEndCapture", "", g->count);
  if (result) return free(g), --live, result;
  *out = g;
  return SUCCESS;
}
static int instantiate(graph **out, graph *g, unsigned long long flags) {
  BEGIN("GraphInstantiateWithFlags", "", flags);
  if (!is(g, GRAPH)) return INVALID_HANDLE;
  return (*out = makeGraph(GRAPH_EXEC, g)) ? SUCCESS : OUT_OF_MEMORY;
}
static int graphLaunch(graph *g, stream *s) {
  BEGIN("GraphLaunch", "", is(g, GRAPH_EXEC) ? g->count : -1);
  NEED_CONTEXT();
  if (!is(g, GRAPH_EXEC)) return INVALID_HANDLE;
  int result = SUCCESS;
  for (int i = 0; i < g->count && !result; ++i) result = add(s, g->steps[i]);
  return result;
}
static int destroyGraph(graph *g) {
  BEGIN("GraphDestroy", "", g->count);
  free(g);
  --live;
  return SUCCESS;
}
static int streamDestroy(stream *s) {
  BEGIN("StreamDestroy", "", 0);
  NEED_CONTEXT();
  if (!is(s, STREAM)) return INVALID_HANDLE;
  free(s);
  --live;
  return SUCCESS;
}
static int launch(function *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                  unsigned bz, unsigned shared, stream *s, void **arguments, void **extra) {
  BEGIN("LaunchKernel", f->name, gx);
  NEED_CONTEXT();
  if (!is(f, FUNCTION) || gy != 1 || gz != 1 || by != 1 || bz != 1 || extra) return INVALID_VALUE;
  if (bx > 128 || (int)shared > f->largest) return INVALID_VALUE;
  work w = {.f = f};
  if (strcmp(f->name, "box") == 0) {
    const uint64_t *map = arguments[0]; /* as tensorMap below */
    w.x = (const float *)map[0], w.n = gx * 16, w.y = *(float **)arguments[1];
  } else {
    w.x = *(float **)arguments[0], w.w = *(float **)arguments[1], w.y = *(float **)arguments[2];
    w.n = *(uint32_t *)arguments[3];
  }
  return add(s, w);
}
static int tensorMap(void *map, int type, uint32_t rank, void *address, const uint64_t *extents,
                     const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                     int interleave, int swizzle, int l2Promotion, int fill) {
  char text[120];
  snprintf(text, sizeof text, "type %d rank %u extent %llu box %u swizzle %d", type, rank,
           (unsigned long long)extents[0], box[0], swizzle);
  BEGIN("TensorMapEncodeTiled", text, 0);
  if ((uint64_t)map % 64 || interleave || l2Promotion < 0 || fill || elementStrides[0] != 1 ||
      !strides)
    return INVALID_VALUE;
  memset(map, 0, 128);
  memcpy(map, &address, 8);
  return SUCCESS;
}

EXPORT int cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t flags,
                               int *found) {
  static const struct {
    const char *name;
    void *address;
  } table[] = {{"cuInit", init},
               {"cuGetErrorName", getErrorName},
               {"cuGetErrorString", getErrorString},
               {"cuDeviceGetCount", deviceGetCount},
               {"cuDeviceGet", deviceGet},
               {"cuDeviceGetName", deviceGetName},
               {"cuDeviceGetAttribute", deviceGetAttribute},
               {"cuDevicePrimaryCtxRetain", primaryRetain},
               {"cuDevicePrimaryCtxRelease", primaryRelease},
               {"cuCtxPushCurrent", push},
               {"cuCtxPopCurrent", pop},
               {"cuModuleLoadDataEx", moduleLoad},
               {"cuModuleUnload", moduleUnload},
               {"cuModuleGetFunction", getFunction},
               {"cuFuncGetAttribute", functionGet},
               {"cuFuncSetAttribute", functionSet},
               {"cuMemAlloc", allocate},
               {"cuMemFree", release},
               {"cuMemcpyHtoDAsync", toDevice},
               {"cuMemcpyDtoHAsync", toHost},
               {"cuMemcpyDtoDAsync", onDevice},
               {"cuStreamCreate", streamCreate},
               {"cuStreamSynchronize", streamSynchronize},
               {"cuStreamDestroy", streamDestroy},
               {"cuLaunchKernel", launch},
               {"cuStreamBeginCapture", beginCapture},
               {"cuStreamEndCapture", endCapture},
               {"cuGraphInstantiateWithFlags", instantiate},
               {"cuGraphLaunch", graphLaunch},
               {"cuGraphDestroy", destroyGraph},
               {"cuGraphExecDestroy", destroyGraph},
               {"cuTensorMapEncodeTiled", tensorMap}};
  *found = 1; /* CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND */
  int result = say("GetProcAddress", name, version);
  if (result) return result;
  if (version != 12000 || flags) return INVALID_VALUE;
  for (size_t i = 0; i < sizeof table / sizeof *table; ++i) {
    if (strcmp(name, table[i].name) != 0) continue;
    *address = table[i].address, *found = 0;
    return SUCCESS;
  }
  return NOT_FOUND;
}
