// For systems without futexes and robust mutexes: each says that it is not there. `Ask` says so beforehand.
#include <errno.h>

#include "platform.h"

namespace mortise::platform {

Waited FutexWait(Word*, uint32_t, double, int* error) {
  *error = ENOSYS;
  return Waited::kFailed;
}
int FutexWake(Word*, int) { return -ENOSYS; }
size_t WatchableWords() { return 0; }
Waited FutexWaitAny(const Expected*, size_t) { return Waited::kFailed; }

int LifeInit(void*) { return ENOSYS; }
int LifeHold(void*) { return ENOSYS; }
int LifeRelease(void*) { return ENOSYS; }
int LifeEnded(void*, bool*) { return ENOSYS; }

int StartThread(const char*, ThreadBody, void*, Thread*) { return ENOSYS; }
void JoinThread(Thread) {}

}  // namespace mortise::platform
