// What Linux and macOS have in common: flock and mmap.
#include <errno.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "platform.h"

namespace mortise::platform {

int Flock(int fd, FlockMode mode) {
  const int operation = mode == FlockMode::kShared      ? LOCK_SH
                        : mode == FlockMode::kExclusive ? LOCK_EX
                                                        : LOCK_UN;
  int result;
  do {
    result = flock(fd, operation | LOCK_NB);
  } while (result == -1 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int Identify(int fd, FileIdentity* identity) {
  struct stat status;
  if (fstat(fd, &status) != 0) return errno;
  *identity = {static_cast<uint64_t>(status.st_dev), status.st_ino, static_cast<uint64_t>(status.st_size),
               static_cast<uint64_t>(status.st_nlink)};
  return 0;
}

int Map(int fd, size_t bytes, void** address) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return errno;
  *address = mapped;
  return 0;
}

void Unmap(void* address, size_t bytes) { munmap(address, bytes); }

}  // namespace mortise::platform
