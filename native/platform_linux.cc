// Linux: futexes, robust mutexes, threads.
#include <errno.h>
#include <linux/futex.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "platform.h"

namespace mortise::platform {
namespace {

// Headers older than Linux 5.16 do not know these; the numbers are the same on every architecture.
constexpr long kFutexWaitvCall = 449;
constexpr uint32_t kFutex32Bits = 0x02;
constexpr size_t kMostWords = 128;

struct FutexWaiter {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

// No PRIVATE flag anywhere: waiters may be in other processes.
long Futex(Word* word, int operation, uint32_t value, const timespec* timeout) {
  return syscall(SYS_futex, word, operation, value, timeout, nullptr, 0);
}

bool FindWaitv() {
  // Lets the tests see the other way of watching on a kernel that has FUTEX_WAITV.
  const char* wish = getenv("MORTISE_WAITV");
  if (wish != nullptr && strcmp(wish, "0") == 0) return false;
  // An empty list is an invalid argument to a kernel that knows the call. A sandbox answers ENOSYS or EPERM.
  const long result = syscall(kFutexWaitvCall, nullptr, 0, 0, nullptr, CLOCK_MONOTONIC);
  return result == -1 && errno == EINVAL;
}

bool HasWaitv() {
  static const bool has = FindWaitv();
  return has;
}

timespec ToTimespec(double milliseconds) {
  // Far beyond any uptime, and the seconds still fit into 32 bits.
  const double most = 1e12;
  const double bounded = milliseconds < most ? milliseconds : most;
  const double seconds = floor(bounded / 1000);
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((bounded - seconds * 1000) * 1e6);
  return time;
}

}  // namespace

Capabilities Ask() { return {"linux", true, true, HasWaitv()}; }

Waited FutexWait(Word* word, uint32_t expected, double milliseconds, int* error) {
  timespec timeout{};
  if (milliseconds >= 0) timeout = ToTimespec(milliseconds);
  const long result = Futex(word, FUTEX_WAIT, expected, milliseconds >= 0 ? &timeout : nullptr);
  if (result == 0 || errno == EINTR) return Waited::kWoken;
  if (errno == EAGAIN) return Waited::kNotEqual;
  if (errno == ETIMEDOUT) return Waited::kTimedOut;
  *error = errno;
  return Waited::kFailed;
}

int FutexWake(Word* word, int count) {
  const long result = Futex(word, FUTEX_WAKE, static_cast<uint32_t>(count), nullptr);
  return result >= 0 ? static_cast<int>(result) : -errno;
}

size_t WatchableWords() { return HasWaitv() ? kMostWords - 1 : 1; }

Waited FutexWaitAny(const Expected* words, size_t count) {
  FutexWaiter waiters[kMostWords] = {};
  for (size_t i = 0; i < count; i++) {
    waiters[i].value = words[i].value;
    waiters[i].address = reinterpret_cast<uintptr_t>(words[i].word);
    waiters[i].flags = kFutex32Bits;
  }
  const long result = syscall(kFutexWaitvCall, waiters, static_cast<unsigned>(count), 0, nullptr, CLOCK_MONOTONIC);
  if (result >= 0 || errno == EINTR) return Waited::kWoken;
  return errno == EAGAIN ? Waited::kNotEqual : Waited::kFailed;
}

namespace {

// `held` says again what the mutex says, for one reason: whoever asks takes the mutex for a moment, and a second one
// who asks just then must not hear that the dead live after somebody else has been told of their end.
struct Life {
  pthread_mutex_t mutex;
  Word held;
  Word made;
};
constexpr uint32_t kMade = 0x6566696C;  // "life"
static_assert(sizeof(Life) <= kLifeBytes && alignof(Life) <= kLifeAlignment);

// Zeros are a mutex too, but a plain one, which nobody would ever hear the end of.
Life* Made(void* memory) {
  Life* life = static_cast<Life*>(memory);
  return life->made.load() == kMade ? life : nullptr;
}

// A mutex whose owner has died is taken all the same.
int Settle(Life* life, int result) {
  if (result != EOWNERDEAD) return result;
  life->held.store(0);
  return pthread_mutex_consistent(&life->mutex);
}

}  // namespace

int LifeInit(void* memory) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  int error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (error == 0) error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  // Not ERRORCHECK, which compares thread ids: those of two PID namespaces may be equal.
  if (error == 0) error = pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_NORMAL);
  Life* life = static_cast<Life*>(memory);
  if (error == 0) error = pthread_mutex_init(&life->mutex, &attributes);
  if (error == 0) {
    life->held.store(0);
    life->made.store(kMade);
  }
  pthread_mutexattr_destroy(&attributes);
  return error;
}

int LifeHold(void* memory) {
  Life* life = Made(memory);
  if (life == nullptr) return EINVAL;
  timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += 1;
  // Whoever asks has it for a moment only.
  const int error = Settle(life, pthread_mutex_timedlock(&life->mutex, &limit));
  if (error == 0) life->held.store(1);
  return error == ETIMEDOUT ? EBUSY : error;
}

int LifeRelease(void* memory) {
  Life* life = static_cast<Life*>(memory);
  life->held.store(0);
  return pthread_mutex_unlock(&life->mutex);
}

int LifeEnded(void* memory, bool* ended) {
  Life* life = Made(memory);
  if (life == nullptr) return EINVAL;
  if (life->held.load() == 0) {
    *ended = true;
    return 0;
  }
  const int error = Settle(life, pthread_mutex_trylock(&life->mutex));
  *ended = error == 0;
  if (error == 0) return pthread_mutex_unlock(&life->mutex);
  return error == EBUSY ? 0 : error;
}

namespace {

struct Start {
  const char* name;
  ThreadBody body;
  void* argument;
};

void* Begin(void* argument) {
  Start start = *static_cast<Start*>(argument);
  delete static_cast<Start*>(argument);
  pthread_setname_np(pthread_self(), start.name);
  start.body(start.argument);
  return nullptr;
}

}  // namespace

int StartThread(const char* name, ThreadBody body, void* argument, Thread* thread) {
  Start* start = new Start{name, body, argument};
  // The new thread inherits the mask, so that no signal from elsewhere ever finds it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // Those that its own code causes kill the process if they are blocked, whoever would handle them.
  const int own[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
  for (const int signal : own) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  const int error = pthread_create(&id, nullptr, Begin, start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    delete start;
    return error;
  }
  static_assert(sizeof(id) <= sizeof(thread->handle));
  thread->handle = reinterpret_cast<void*>(id);
  return 0;
}

void JoinThread(Thread thread) { pthread_join(reinterpret_cast<pthread_t>(thread.handle), nullptr); }

}  // namespace mortise::platform
