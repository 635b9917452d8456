// What Linux and macOS have in common: flock, mmap, and SIGBUS.
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

// An entry of a list that a signal handler goes through: entries are added and used again, and never freed.
struct Guard {
  std::atomic<uintptr_t> begin{0};  // 0: free
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> cut{false};
  Guard* next = nullptr;
};

namespace {

std::atomic<Guard*> guards{nullptr};
struct sigaction before;

// Only what a signal handler may do; mmap is a system call and no more.
void OnBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  // Another process may send it as well: then there is no address.
  const bool sent = info->si_code <= 0;
  for (Guard* guard = guards.load(); guard != nullptr && !sent; guard = guard->next) {
    const uintptr_t begin = guard->begin.load();
    if (begin == 0 || address < begin || address >= guard->end.load()) continue;
    const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    void* missing = reinterpret_cast<void*>(address & ~(page - 1));
    guard->cut.store(true);
    void* zeros = mmap(missing, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    errno = error;
    return;
  }
  // Not ours: what would have happened without us.
  if ((before.sa_flags & SA_SIGINFO) != 0) before.sa_sigaction(signal, info, context);
  else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) before.sa_handler(signal);
  else if (!sent) sigaction(SIGBUS, &before, nullptr);  // it happens again at once
  else if (before.sa_handler == SIG_DFL) {
    sigaction(SIGBUS, &before, nullptr);
    raise(signal);  // when this handler has ended
  }
  errno = error;
}

void CatchBusErrors() {
  struct sigaction action {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  sigaction(SIGBUS, &action, &before);
}

}  // namespace

Guard* GuardMemory(void* address, size_t bytes) {
  static const bool installed = (CatchBusErrors(), true);
  (void)installed;
  Guard* guard = guards.load();
  while (guard != nullptr && guard->begin.load() != 0) guard = guard->next;
  if (guard == nullptr) {
    guard = new Guard;
    guard->next = guards.load();
    guards.store(guard);
  }
  const uintptr_t begin = reinterpret_cast<uintptr_t>(address);
  guard->cut.store(false);
  guard->end.store(begin + bytes);
  guard->begin.store(begin);
  return guard;
}

bool WasCut(const Guard* guard) { return guard != nullptr && guard->cut.load(); }

void Unguard(Guard* guard) {
  if (guard != nullptr) guard->begin.store(0);
}

}  // namespace mortise::platform
