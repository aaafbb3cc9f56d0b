#include "tools/adze/Scratch.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace adze::cli {

// Of the one Scratch there is; empty: none.
static char scratchFolder[64];
static char scratchFile[80];

Scratch::Scratch() {
  const char *given = std::getenv("TMPDIR");
  char folder[sizeof scratchFolder];
  int n = std::snprintf(folder, sizeof folder, "%s/adze-XXXXXX", given && *given ? given : "/tmp");
  if (n < 0 || size_t(n) >= sizeof folder) std::strcpy(folder, "/tmp/adze-XXXXXX");
  if (!mkdtemp(folder)) return;
  std::snprintf(scratchFile, sizeof scratchFile, "%s/model.adze", folder);
  std::strcpy(scratchFolder, folder);
}

Scratch::~Scratch() {
  removeScratch();
  scratchFolder[0] = scratchFile[0] = 0;
}

std::string Scratch::path() const { return scratchFile; }

void Scratch::clear() {
  if (scratchFile[0]) unlink(scratchFile);
}

void removeScratch() {
  if (!scratchFolder[0]) return;
  unlink(scratchFile);
  rmdir(scratchFolder);
}

}  // namespace adze::cli
