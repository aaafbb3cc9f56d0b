#include "lib/Runtime/ThreadPool.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

namespace adze::runtime {

namespace {
constexpr int kMaxThreads = 1024;
// How long a thread looks for the next loop before it sleeps: about the time
// between two loops of a model, 50 to 100 microseconds.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// Spins until done() or the time is up.
template <typename Done>
bool spin(Done done) {
  for (int i = 0; i < kSpins; ++i) {
    if (done()) return true;
    pause();
  }
  return false;
}

/// One loop, on the stack of its caller.
struct Loop {
  void (*f)(void *env, size_t i);
  void *env;
  size_t count;
  std::atomic<size_t> next{0};

  void work() {
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) f(env, i);
  }
};
}  // namespace

int availableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

/// The threads and what they share. A thread takes part in the current loop by
/// counting itself in under the mutex; the caller withdraws the loop under the
/// same mutex, so that nobody can begin on it afterwards, and waits for those
/// counted in.
struct ThreadPool::Workers {
  std::mutex turn;  ///< held by the caller whose loop runs
  std::mutex mutex;
  std::condition_variable wake, idle;
  Loop *loop = nullptr;
  std::atomic<uint64_t> loops{0};  ///< loops begun; changes under the mutex
  std::atomic<int> inside{0};      ///< threads working on the loop; likewise
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;

  explicit Workers(int count) {
    try {
      threads.reserve(static_cast<size_t>(count));
      while (count-- > 0) threads.emplace_back([this] { serve(); });
    } catch (const std::exception &) {
      // Fewer threads: loops take longer.
    }
  }

  ~Workers() {
    {
      std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    for (std::thread &t : threads) t.join();
  }

  void serve() {
    uint64_t seen = 0;
    auto news = [&] { return stop || loops != seen; };
    for (;;) {
      spin(news);
      std::unique_lock lock(mutex);
      wake.wait(lock, news);
      if (stop) return;
      seen = loops;
      Loop *current = loop;
      if (!current) continue;
      ++inside;
      lock.unlock();
      current->work();
      lock.lock();
      if (--inside == 0) idle.notify_one();
    }
  }

  void run(Loop &l) {
    std::lock_guard myTurn(turn);
    {
      std::lock_guard lock(mutex);
      loop = &l;
      ++loops;
    }
    wake.notify_all();
    l.work();
    std::unique_lock lock(mutex);
    loop = nullptr;
    if (inside == 0) return;
    lock.unlock();
    spin([&] { return inside == 0; });
    lock.lock();
    idle.wait(lock, [&] { return inside == 0; });
  }
};

ThreadPool::ThreadPool(int threads)
    : threads_(std::clamp(threads > 0 ? threads : availableCpus(), 1, kMaxThreads)) {}

ThreadPool::~ThreadPool() {
  // A forked child has a copy of the threads' state without the threads.
  if (owner_ != getpid()) (void)workers_.release();
}

ThreadPool::Workers *ThreadPool::start() {
  std::lock_guard lock(starting_);
  pid_t self = getpid();
  if (workers_ && owner_ == self) return workers_.get();
  (void)workers_.release();
  owner_ = self;
  workers_.reset(new (std::nothrow) Workers(threads_ - 1));
  return workers_.get();
}

void ThreadPool::run(void (*f)(void *, size_t), void *env, size_t count) {
  Loop loop{f, env, count};
  if (threads_ == 1 || count <= 1) return loop.work();
  Workers *workers = start();
  if (!workers) return loop.work();
  workers->run(loop);
}

}  // namespace adze::runtime
