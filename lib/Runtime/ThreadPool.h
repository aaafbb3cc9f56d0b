// The threads that run parallel loops: pthreadpool, started on first use.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <mutex>

struct pthreadpool;

namespace adze::runtime {

/// CPUs that this process may run on; at least 1.
int availableCpus();

class ThreadPool {
 public:
  /// threads: 0 means availableCpus().
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const { return threads_; }
  /// Calls f(env, i) for i in [0, count), from this thread and the others, and
  /// returns when all are done. Calls from several threads take turns. f must
  /// not call back into the pool.
  void run(void (*f)(void *env, size_t i), void *env, size_t count);

 private:
  pthreadpool *start();

  int threads_;
  std::mutex mutex_;
  pthreadpool *pool_ = nullptr;
  bool failed_ = false;
  pid_t owner_ = 0;  ///< process that started the threads
};

}  // namespace adze::runtime
