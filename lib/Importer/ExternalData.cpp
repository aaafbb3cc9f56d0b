#include "lib/Importer/ExternalData.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace adze::importer {

namespace {

constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

std::vector<std::string> components(const std::string &path) {
  std::vector<std::string> parts(1);
  for (char c : path) {
    if (c == '/') parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

// Refused by its text alone; null if it may be tried.
const char *refusal(const std::string &location) {
  if (location.empty()) return "is empty";
  if (location.size() > 4096) return "is too long";
  if (location.find('\0') != location.npos) return "contains a zero byte";
  if (location.find('\\') != location.npos) return "contains a backslash; '/' separates folders";
  if (location[0] == '/' || (location.size() > 1 && location[1] == ':')) return "is not relative";
  for (const std::string &part : components(location)) {
    if (part == "..") return "leaves the model's folder";
    if (part.empty()) return "names no file";
  }
  return nullptr;
}

// For kernels without openat2 (before 5.6, or behind a filter): each component
// is opened in its turn, and none may be a link.
int openByComponents(int folder, const std::string &location) {
  std::vector<std::string> parts = components(location);
  int at = ::dup(folder);
  for (size_t i = 0; at >= 0 && i < parts.size(); ++i) {
    bool last = i + 1 == parts.size();
    int flags = last ? kOpenFlags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int next = ::openat(at, parts[i].c_str(), flags);
    int saved = errno;
    ::close(at);
    errno = saved;
    at = next;
  }
  return at;
}

int openBelow(int folder, const std::string &location) {
  struct open_how how;
  std::memset(&how, 0, sizeof how);
  how.flags = kOpenFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = ::syscall(SYS_openat2, folder, location.c_str(), &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL)) return int(fd);
  return openByComponents(folder, location);
}

std::string openError(int error) {
  if (error == ELOOP) return "is a link, or lies behind one: links are not followed";
  if (error == EXDEV) return "leaves the model's folder";
  if (error == ENOENT) return "does not exist in the model's folder";
  return std::string("cannot be opened: ") + std::strerror(error);
}

}  // namespace

ExternalFiles::ExternalFiles(const std::string &modelPath) : hasModel(!modelPath.empty()) {
  if (!hasModel) return;
  size_t slash = modelPath.rfind('/');
  std::string dir = slash == modelPath.npos ? "." : modelPath.substr(0, slash + 1);
  folder = ::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

ExternalFiles::~ExternalFiles() {
  if (folder >= 0) ::close(folder);
}

std::shared_ptr<MappedFile> ExternalFiles::open(const std::string &location, std::string &why) {
  if (!hasModel) {
    why = "cannot be found: the model was given as bytes, without a folder";
    return nullptr;
  }
  if (const char *refused = refusal(location)) {
    why = refused;
    return nullptr;
  }
  if (auto it = files.find(location); it != files.end()) return it->second;
  int fd = openBelow(folder, location);
  if (fd < 0) {
    why = openError(errno);
    return nullptr;
  }
  struct stat st;
  std::shared_ptr<MappedFile> file;
  if (::fstat(fd, &st) != 0)
    why = openError(errno);
  else if (!S_ISREG(st.st_mode))
    why = S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file";
  else if (st.st_nlink != 1)
    // A second name may stand for any file of the same disk.
    why = "has hard links: give the model a copy of its own";
  else
    file = MappedFile::fromFd(fd, why);
  ::close(fd);
  if (file) files.emplace(location, file);
  return file;
}

}  // namespace adze::importer
