// watch and unwatch: waiting for a word without blocking.
#include "exports.h"

#include <errno.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arguments.h"
#include "helper.h"
#include "platform.h"

namespace mortise {

// All watches of one thread of Node.js. Its helper is one thread for every 127 words where the kernel can sleep on many,
// and for every word elsewhere.
struct Watcher {
  struct Sleeper {
    Helper helper;
    size_t watches = 0;
    Sleeper(Helper::Report report, void* context) : helper(report, context) {}
  };
  struct Watch {
    Napi::FunctionReference callback;
    Sleeper* sleeper;
  };

  napi_threadsafe_function call = nullptr;
  uint32_t last_id = 0;
  std::unordered_map<uint32_t, Watch> watches;
  std::vector<std::unique_ptr<Sleeper>> sleepers;

  std::mutex mutex;
  std::vector<uint32_t> changed;  // under the mutex
};

namespace {

// On the helper's thread. One call is under way at most: it brings all that has gathered.
void Report(void* context, const std::vector<uint32_t>& ids) {
  Watcher* watcher = static_cast<Watcher*>(context);
  bool first;
  {
    std::lock_guard<std::mutex> lock(watcher->mutex);
    first = watcher->changed.empty();
    watcher->changed.insert(watcher->changed.end(), ids.begin(), ids.end());
  }
  if (first) napi_call_threadsafe_function(watcher->call, nullptr, napi_tsfn_nonblocking);
}

void Deliver(napi_env raw, napi_value, void* context, void*) {
  if (raw == nullptr) return;  // the environment ends, and the watcher has gone
  Napi::Env env(raw);
  Watcher* watcher = static_cast<Watcher*>(context);
  std::vector<uint32_t> changed;
  {
    std::lock_guard<std::mutex> lock(watcher->mutex);
    changed.swap(watcher->changed);
  }
  for (const uint32_t id : changed) {
    const auto found = watcher->watches.find(id);
    if (found == watcher->watches.end()) continue;  // unwatched meanwhile
    Napi::HandleScope scope(env);
    Napi::Function callback = found->second.callback.Value();
    found->second.sleeper->watches--;
    // Before the call, which may watch again.
    watcher->watches.erase(found);
    napi_value undefined = env.Undefined();
    if (napi_call_function(raw, undefined, callback, 0, nullptr, nullptr) != napi_pending_exception) continue;
    napi_value thrown;
    // Without this Node.js would only warn of what a callback throws.
    if (napi_get_and_clear_last_exception(raw, &thrown) == napi_ok) napi_fatal_exception(raw, thrown);
  }
}

void End(void* data) {
  Environment* environment = static_cast<Environment*>(data);
  Watcher* watcher = std::exchange(environment->watcher, nullptr);
  for (const auto& sleeper : watcher->sleepers) sleeper->helper.Join();
  napi_release_threadsafe_function(watcher->call, napi_tsfn_abort);
  delete watcher;
}

// Null after it has thrown.
Watcher* WatcherOf(Napi::Env env) {
  Environment* environment = env.GetInstanceData<Environment>();
  if (environment->watcher != nullptr) return environment->watcher;
  std::unique_ptr<Watcher> watcher = std::make_unique<Watcher>();
  napi_value name = Napi::String::New(env, "mortise-watch");
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                                             watcher.get(), Deliver, &watcher->call);
  if (status != napi_ok) {
    Napi::Error::New(env).ThrowAsJavaScriptException();
    return nullptr;
  }
  napi_unref_threadsafe_function(env, watcher->call);
  environment->watcher = watcher.release();
  // Hooks run in the opposite order: this one ends the helpers before the function they call has gone.
  napi_add_env_cleanup_hook(env, End, environment);
  return environment->watcher;
}

Watcher::Sleeper* SleeperWithRoom(Watcher* watcher, size_t most) {
  for (const auto& sleeper : watcher->sleepers) {
    if (sleeper->watches < most) return sleeper.get();
  }
  watcher->sleepers.push_back(std::make_unique<Watcher::Sleeper>(Report, watcher));
  return watcher->sleepers.back().get();
}

// watch(words, index, seen, callback) -> number
Napi::Value Watch(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  platform::Word* word;
  int64_t seen;
  if (!ReadWord(info, 0, &word) || !ReadInteger(info, 2, "seen", INT32_MIN, INT32_MAX, &seen)) return {};
  if (!info[3].IsFunction()) {
    ThrowTypeError(env, "callback", "a function", info[3]);
    return {};
  }
  MappingUse memory = MappingAround(word, sizeof(*word));
  if (memory.get() == nullptr) {
    ThrowTypeError(env, "words", "an Int32Array on memory from map", info[0]);
    return {};
  }
  const size_t most = platform::WatchableWords();
  if (most == 0) {
    ThrowSystemError(env, ENOSYS, "futex");
    return {};
  }
  Watcher* watcher = WatcherOf(env);
  if (watcher == nullptr) return {};

  const uint32_t id = ++watcher->last_id;
  Watcher::Sleeper* sleeper = SleeperWithRoom(watcher, most);
  const int error = sleeper->helper.Watch({id, word, static_cast<uint32_t>(seen), std::move(memory)});
  if (error != 0) {
    ThrowSystemError(env, error, "pthread_create");
    return {};
  }
  sleeper->watches++;
  watcher->watches.emplace(id, Watcher::Watch{Napi::Persistent(info[3].As<Napi::Function>()), sleeper});
  return Napi::Number::New(env, id);
}

// unwatch(id) -> boolean
Napi::Value Unwatch(const Napi::CallbackInfo& info) {
  int64_t id;
  if (!ReadInteger(info, 0, "id", 1, UINT32_MAX, &id)) return {};
  Watcher* watcher = info.Env().GetInstanceData<Environment>()->watcher;
  if (watcher == nullptr) return Napi::Boolean::New(info.Env(), false);
  const auto found = watcher->watches.find(static_cast<uint32_t>(id));
  if (found == watcher->watches.end()) return Napi::Boolean::New(info.Env(), false);
  Watcher::Sleeper* sleeper = found->second.sleeper;
  sleeper->watches--;
  sleeper->helper.Forget(static_cast<uint32_t>(id));
  watcher->watches.erase(found);
  return Napi::Boolean::New(info.Env(), true);
}

}  // namespace

void ExportWatch(Napi::Env env, Napi::Object exports) {
  exports.Set("watch", Napi::Function::New<Watch>(env, "watch"));
  exports.Set("unwatch", Napi::Function::New<Unwatch>(env, "unwatch"));
}

}  // namespace mortise
