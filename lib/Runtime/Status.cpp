#include "lib/Runtime/Status.h"

#include <cstdlib>
#include <cstring>
#include <string>

struct adze_status {
  int32_t code;
  const char *id, *message, *hint;
};

namespace adze::runtime {

namespace {
constexpr adze_status kOutOfMemory{ADZE_RESOURCE, "ADZ0720", "out of memory", ""};
}  // namespace

adze_status *outOfMemoryStatus() { return const_cast<adze_status *>(&kOutOfMemory); }

adze_status *makeStatus(const Diagnostic &d) {
  std::string message = d.file.empty() ? d.message : printable(d.file) + ": " + d.message;
  const std::string *texts[] = {&d.code, &message, &d.help};
  size_t size = sizeof(adze_status);
  for (const std::string *t : texts) size += t->size() + 1;
  void *memory = std::malloc(size);
  if (!memory) return outOfMemoryStatus();
  adze_status *s = new (memory) adze_status{static_cast<int32_t>(d.exitCode), "", "", ""};
  char *at = reinterpret_cast<char *>(s + 1);
  auto place = [&](const std::string &t) {
    char *begin = at;
    std::memcpy(begin, t.c_str(), t.size() + 1);
    at += t.size() + 1;
    return begin;
  };
  s->id = place(d.code);
  s->message = place(message);
  s->hint = place(d.help);
  return s;
}

}  // namespace adze::runtime

extern "C" {
int32_t adze_status_code(const adze_status *s) { return s ? s->code : ADZE_OK; }
const char *adze_status_id(const adze_status *s) { return s ? s->id : ""; }
const char *adze_status_message(const adze_status *s) { return s ? s->message : ""; }
const char *adze_status_hint(const adze_status *s) { return s ? s->hint : ""; }
void adze_status_destroy(adze_status *s) {
  if (s != &adze::runtime::kOutOfMemory) std::free(s);
}
}
