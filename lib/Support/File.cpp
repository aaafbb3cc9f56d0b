#include "lib/Support/File.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace adze {

// Names of unfinished outputs, for the signal handler: fixed storage, so that
// reading it there is safe.
namespace {
constexpr int kSlots = 64;
constexpr size_t kNameBytes = 4096;
struct TemporarySlot {
  std::atomic<int> state{0};  // 0 free, 1 being filled, 2 in use
  char name[kNameBytes];
};
TemporarySlot slots[kSlots];

int claimSlot(const std::string &name) {
  if (name.size() >= kNameBytes) return -1;
  for (int i = 0; i < kSlots; ++i) {
    int expected = 0;
    if (!slots[i].state.compare_exchange_strong(expected, 1)) continue;
    std::memcpy(slots[i].name, name.c_str(), name.size() + 1);
    slots[i].state.store(2);
    return i;
  }
  return -1;
}

void releaseSlot(int slot) {
  if (slot >= 0) slots[slot].state.store(0);
}

std::string errnoText(const char *what, const std::string &path) {
  return std::string(what) + " '" + path + "': " + std::strerror(errno);
}
}  // namespace

void removeTemporaries() {
  for (TemporarySlot &s : slots)
    if (s.state.load() == 2) ::unlink(s.name);
}

std::shared_ptr<MappedFile> MappedFile::open(const std::string &path, std::string &error) {
  // O_NONBLOCK: a pipe must not make the open wait.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    error = errnoText("cannot open", path);
    return nullptr;
  }
  auto file = fromFd(fd, error);
  ::close(fd);
  if (!file) error = "cannot read '" + path + "': " + error;
  return file;
}

std::shared_ptr<MappedFile> MappedFile::fromFd(int fd, std::string &error) {
  struct stat st;
  if (::fstat(fd, &st) != 0) {
    error = std::strerror(errno);
    return nullptr;
  }
  if (!S_ISREG(st.st_mode)) {
    error = S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file";
    return nullptr;
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  if (st.st_size == 0) return file;
  void *p = ::mmap(nullptr, static_cast<size_t>(st.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) {
    error = std::strerror(errno);
    return nullptr;
  }
  file->data_ = static_cast<const std::byte *>(p);
  file->size_ = static_cast<size_t>(st.st_size);
  return file;
}

void MappedFile::release() const {
  if (data_) ::madvise(const_cast<std::byte *>(data_), size_, MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte *>(data_), size_);
}

bool AtomicFile::open(const std::string &path, std::string &error) {
  path_ = path;
  size_t slash = path.rfind('/');
  std::string dir = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  struct stat st;
  if (base.empty() || (::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode))) {
    error = "cannot write '" + path + "': not a regular file";
    return false;
  }
  temporary_ = dir + "." + base + "." + std::to_string(::getpid()) + ".tmp";
  // Without a name there is nothing to leave behind, however the process ends.
  if (::access("/proc/self/fd", X_OK) == 0)  // where it gets its name from
    fd_ = ::open(dir.empty() ? "." : dir.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  unnamed_ = fd_ >= 0;
  if (unnamed_) return true;
  slot_ = claimSlot(temporary_);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd_ >= 0) return true;
  error = errnoText("cannot write", path);
  releaseSlot(slot_);
  slot_ = -1;
  return false;
}

bool AtomicFile::write(const void *data, size_t size, std::string &error) {
  const char *p = static_cast<const char *>(data);
  while (size) {
    ssize_t n = ::write(fd_, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      error = errnoText("cannot write", path_);
      return false;
    }
    p += n;
    size -= static_cast<size_t>(n);
    size_ += n;
  }
  return true;
}

/// Gives the file its name, also where that is taken.
bool AtomicFile::giveName() {
  if (!unnamed_) return ::rename(temporary_.c_str(), path_.c_str()) == 0;
  std::string self = "/proc/self/fd/" + std::to_string(fd_);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  if (errno != EEXIST) return false;
  slot_ = claimSlot(temporary_);
  ::unlink(temporary_.c_str());  // of a dead process that had this number
  return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0 &&
         ::rename(temporary_.c_str(), path_.c_str()) == 0;
}

bool AtomicFile::commit(std::string &error) {
  bool ok = ::fsync(fd_) == 0 && giveName();
  int why = errno;
  ok = ::close(fd_) == 0 && ok;
  fd_ = -1;
  errno = why;
  if (!ok) {
    error = errnoText("cannot write", path_);
    ::unlink(temporary_.c_str());
  }
  releaseSlot(slot_);
  slot_ = -1;
  return ok;
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!unnamed_) ::unlink(temporary_.c_str());
  releaseSlot(slot_);
}

}  // namespace adze
