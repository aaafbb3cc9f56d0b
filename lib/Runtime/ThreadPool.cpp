#include "lib/Runtime/ThreadPool.h"

#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace adze::runtime {

namespace {
constexpr int kMaxThreads = 1024;

/// pthreadpool waits for ever for threads that could not be started, so it is
/// tried out first how many there can be.
int startableThreads(int wanted) {
  auto idle = [](void *gate) -> void * {
    pthread_mutex_lock(static_cast<pthread_mutex_t *>(gate));
    pthread_mutex_unlock(static_cast<pthread_mutex_t *>(gate));
    return nullptr;
  };
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
  pthread_t threads[kMaxThreads];
  int n = 0;
  pthread_mutex_lock(&gate);
  while (n < wanted && pthread_create(&threads[n], nullptr, idle, &gate) == 0) ++n;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < n; ++i) pthread_join(threads[i], nullptr);
  return n;
}
}  // namespace

int availableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

ThreadPool::ThreadPool(int threads)
    : threads_(std::clamp(threads > 0 ? threads : availableCpus(), 1, kMaxThreads)) {}

ThreadPool::~ThreadPool() {
  // A forked child has a copy of the pool without its threads: leave it.
  if (pool_ && owner_ == getpid()) pthreadpool_destroy(pool_);
}

pthreadpool *ThreadPool::start() {
  std::lock_guard lock(mutex_);
  pid_t self = getpid();
  if (pool_ && owner_ == self) return pool_;
  if (failed_ && owner_ == self) return nullptr;
  owner_ = self;
  // The caller is one of pthreadpool's threads.
  int others = startableThreads(threads_ - 1);
  pool_ = others > 0 ? pthreadpool_create(static_cast<size_t>(others) + 1) : nullptr;
  failed_ = !pool_;
  return pool_;
}

void ThreadPool::run(void (*f)(void *, size_t), void *env, size_t count) {
  pthreadpool *pool = threads_ > 1 && count > 1 ? start() : nullptr;
  if (!pool) {
    for (size_t i = 0; i < count; ++i) f(env, i);
    return;
  }
  pthreadpool_parallelize_1d(pool, f, env, count, 0);
}

}  // namespace adze::runtime
