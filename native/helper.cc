#include "helper.h"

#include <algorithm>
#include <climits>
#include <utility>

namespace mortise {
namespace {

// Starting a thread costs about as much as waking one ten times, so it stays for the next who waits.
constexpr double kIdleMilliseconds = 100;
// Without a sleep on many words an order may come just before the sleep on the only one.
constexpr double kSliceMilliseconds = 20;

}  // namespace

int Helper::Watch(Watched watched) {
  bool ended;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    to_watch_.push_back(std::move(watched));
    ended = std::exchange(ended_, false);
  }
  if (!ended) {
    Wake();
    return 0;
  }
  if (to_join_) platform::JoinThread(thread_);
  const int error = platform::StartThread(
      "mortise-watch", [](void* self) { static_cast<Helper*>(self)->Run(); }, this, &thread_);
  to_join_ = error == 0;
  if (error != 0) {
    to_watch_.clear();
    ended_ = true;
  }
  return error;
}

void Helper::Forget(uint32_t id) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    // It has been reported, else the thread would not have ended.
    if (ended_) return;
    to_forget_.push_back(id);
  }
  Wake();
}

void Helper::Join() {
  if (!to_join_) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  Wake();
  platform::JoinThread(thread_);
  to_join_ = false;
}

void Helper::Wake() {
  orders_.fetch_add(1);
  platform::FutexWake(&orders_, 1);
  // Others who sleep on that word look again and sleep on.
  if (platform::Word* word = sleeping_on_.load()) platform::FutexWake(word, INT_MAX);
}

void Helper::Run() {
  std::vector<Watched> watched;
  std::vector<uint32_t> changed;
  for (;;) {
    const uint32_t orders = orders_.load();
    if (!TakeOrders(&watched)) return;
    changed.clear();
    // A word may change back, so each is looked at once.
    watched.erase(std::remove_if(watched.begin(), watched.end(),
                                 [&changed](const Watched& one) {
                                   if (one.word->load() == one.seen) return false;
                                   changed.push_back(one.id);
                                   return true;
                                 }),
                  watched.end());
    if (!changed.empty()) {
      report_(context_, changed);
      continue;
    }
    if (watched.empty()) {
      int error = 0;
      const auto waited = platform::FutexWait(&orders_, orders, kIdleMilliseconds, &error);
      if (waited == platform::Waited::kTimedOut && EndIfIdle()) return;
    } else {
      Sleep(watched, orders);
    }
  }
}

// False: the thread is to end.
bool Helper::TakeOrders(std::vector<Watched>* watched) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stop_) return false;
  for (Watched& one : to_watch_) watched->push_back(std::move(one));
  to_watch_.clear();
  // Whoever is to be forgotten was to be watched before.
  for (const uint32_t id : to_forget_) {
    watched->erase(
        std::remove_if(watched->begin(), watched->end(), [id](const Watched& one) { return one.id == id; }),
        watched->end());
  }
  to_forget_.clear();
  return true;
}

bool Helper::EndIfIdle() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!to_watch_.empty() || stop_) return false;
  ended_ = true;
  return true;
}

void Helper::Sleep(const std::vector<Watched>& watched, uint32_t orders) {
  using platform::Waited;
  int error = 0;
  if (platform::WatchableWords() == 1) {
    sleeping_on_.store(watched[0].word);
    // An order that came before that did not see what this thread sleeps on.
    if (orders_.load() == orders) {
      platform::FutexWait(watched[0].word, watched[0].seen, kSliceMilliseconds, &error);
    }
    sleeping_on_.store(nullptr);
    return;
  }
  std::vector<platform::Expected> words;
  words.reserve(watched.size() + 1);
  words.push_back({&orders_, orders});
  for (const Watched& one : watched) words.push_back({one.word, one.seen});
  if (platform::FutexWaitAny(words.data(), words.size()) == Waited::kFailed) {
    // No memory in the kernel, perhaps: look again in a while instead of at once.
    platform::FutexWait(&orders_, orders, kSliceMilliseconds, &error);
  }
}

}  // namespace mortise
