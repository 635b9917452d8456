// The thread that sleeps for others: it watches words and reports those that have changed. Knows nothing of Node.js.
#pragma once

#include <mutex>
#include <vector>

#include "mappings.h"
#include "platform.h"

namespace mortise {

class Helper {
 public:
  // Called on the helper's thread.
  using Report = void (*)(void* context, const std::vector<uint32_t>& ids);

  struct Watched {
    uint32_t id;
    platform::Word* word;
    uint32_t seen;
    MappingUse memory;
  };

  Helper(Report report, void* context) : report_(report), context_(context) {}
  // 0 or an errno. The thread starts with the first watch, and again if it has ended meanwhile, as it does when there
  // was nothing to watch for a while. No more than platform::WatchableWords() may be watched at once.
  int Watch(Watched watched);
  void Forget(uint32_t id);
  // Ends the thread and waits for its end. Like the two above, called by one thread only.
  void Join();

 private:
  void Run();
  bool TakeOrders(std::vector<Watched>* watched);
  bool EndIfIdle();
  void Sleep(const std::vector<Watched>& watched, uint32_t orders);
  void Wake();

  const Report report_;
  void* const context_;
  platform::Thread thread_{};
  bool to_join_ = false;

  std::mutex mutex_;
  // Under the mutex.
  std::vector<Watched> to_watch_;
  std::vector<uint32_t> to_forget_;
  bool stop_ = false;
  bool ended_ = true;

  // An eventcount: one more with every order, so that none is missed between a look and a sleep.
  platform::Word orders_{0};
  // What the thread may be sleeping on when it cannot sleep on `orders_` at the same time.
  std::atomic<platform::Word*> sleeping_on_{nullptr};
};

}  // namespace mortise
