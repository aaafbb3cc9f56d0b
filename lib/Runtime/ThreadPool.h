// The threads that run parallel loops; started on first use.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace adze::runtime {

/// CPUs that this process may run on; at least 1.
int availableCpus();

/// A fork-join pool. The caller works too, and never waits for a thread that
/// has not begun: on a busy machine a loop costs little more than it would
/// alone. (pthreadpool, tried first, waits until every thread has looked at
/// every loop: 1 to 18 ms a loop on two loaded cores, where this takes 0.3.)
class ThreadPool {
 public:
  /// threads: 0 means availableCpus(). The caller counts as one.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int threads() const { return threads_; }
  /// Calls f(env, i) for i in [0, count), from this thread and the others, and
  /// returns when all are done. Calls from several threads take turns. f must
  /// not call back into the pool. Never throws: with fewer threads than wanted,
  /// or none, the loop runs all the same.
  void run(void (*f)(void *env, size_t i), void *env, size_t count);

 private:
  struct Workers;
  Workers *start();

  int threads_;
  std::mutex starting_;
  std::unique_ptr<Workers> workers_;
  pid_t owner_ = 0;  ///< process that started the threads
};

}  // namespace adze::runtime
