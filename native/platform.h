// What the addon asks of the operating system. One file per platform keeps this contract; nothing here knows Node.js.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mortise::platform {

// A word that threads and processes share. It lies in memory that is made elsewhere and is never constructed.
using Word = std::atomic<uint32_t>;
static_assert(sizeof(Word) == 4 && Word::is_always_lock_free);

inline Word* AsWord(void* address) { return static_cast<Word*>(address); }

// What this machine offers, asked once.
struct Capabilities {
  const char* platform;
  bool futex;
  bool robust_mutex;
  bool waitv;  // one sleep on many words
};
Capabilities Ask();

// Where not said otherwise, a function returns 0 or an errno.

enum class FlockMode { kShared, kExclusive, kUnlock };
// Never blocks: EWOULDBLOCK if another open file has it.
int Flock(int fd, FlockMode mode);

struct FileIdentity {
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  uint64_t links;  // names; 0 once it has been removed
};
int Identify(int fd, FileIdentity* identity);
int Map(int fd, size_t bytes, void** address);
void Unmap(void* address, size_t bytes);

// Whoever touches what another process has cut off a mapped file is killed by SIGBUS. In guarded memory, zeros of this
// process's own take the place of what is missing, for good. Null where files cannot be cut while they are mapped.
struct Guard;
// Nobody guards or unguards at the same time.
Guard* GuardMemory(void* address, size_t bytes);
bool WasCut(const Guard* guard);
// Before the memory is unmapped.
void Unguard(Guard* guard);

// The futexes are those of the memory, not of the process: they reach across processes.

enum class Waited { kWoken, kNotEqual, kTimedOut, kFailed };
constexpr double kForever = -1;
// Sleeps while the word is `expected`. A signal, and whatever else ends it early, is reported as kWoken.
Waited FutexWait(Word* word, uint32_t expected, double milliseconds, int* error);
// Returns how many were woken, or minus an errno.
int FutexWake(Word* word, int count);

struct Expected {
  Word* word;
  uint32_t value;
};
// The most words that one thread can sleep on at once, its own control word not counted.
size_t WatchableWords();
// Sleeps until one of them is woken or differs; returns early whenever it likes. kFailed: it did not sleep.
Waited FutexWaitAny(const Expected* words, size_t count);

// A life is a mutex that its owner takes and keeps, so that the kernel says when the owner has ended.
constexpr size_t kLifeBytes = 64;
constexpr size_t kLifeAlignment = 8;
// Of one thread. Linux goes through 2048 robust mutexes of a thread that ends, and others may use some as well.
constexpr size_t kMostLives = 2000;
int LifeInit(void* life);
// EINVAL if it was never made; EBUSY if a living thread has had it for a second.
int LifeHold(void* life);
// By the thread that holds it.
int LifeRelease(void* life);
// Whether nobody holds it. EINVAL if it was never made.
int LifeEnded(void* life, bool* ended);

using ThreadBody = void (*)(void* argument);
struct Thread {
  void* handle;
};
// A thread with a name, which takes no signals.
int StartThread(const char* name, ThreadBody body, void* argument, Thread* thread);
void JoinThread(Thread thread);

}  // namespace mortise::platform
