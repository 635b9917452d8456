// lifeInit, lifeHold, lifeRelease, lifeEnded.
#include "exports.h"

#include <errno.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "arguments.h"
#include "mappings.h"
#include "platform.h"

namespace mortise {

// The lives that this thread holds. Their memory stays mapped: a mutex that is unmapped while it is held is held for
// ever.
struct Lives {
  struct Held {
    void* life;
    MappingUse memory;
  };
  std::vector<Held> held;

  std::vector<Held>::iterator Find(void* life) {
    return std::find_if(held.begin(), held.end(), [life](const Held& one) { return one.life == life; });
  }
};

namespace {

void ReleaseAll(void* data) {
  Environment* environment = static_cast<Environment*>(data);
  for (const Lives::Held& one : environment->lives->held) platform::LifeRelease(one.life);
  delete std::exchange(environment->lives, nullptr);
}

Lives* LivesOf(Napi::Env env) {
  Environment* environment = env.GetInstanceData<Environment>();
  if (environment->lives == nullptr) {
    environment->lives = new Lives;
    // Runs on this thread, which a mutex has to be released by.
    napi_add_env_cleanup_hook(env, ReleaseAll, environment);
  }
  return environment->lives;
}

// lifeInit(buffer, offset)
Napi::Value Init(const Napi::CallbackInfo& info) {
  void* life;
  MappingUse memory;
  if (!ReadLife(info, &life, &memory)) return {};
  // Its own life would be cut out of the list of mutexes that the kernel goes through.
  const bool own = LivesOf(info.Env())->Find(life) != LivesOf(info.Env())->held.end();
  const int error = own ? EBUSY : platform::LifeInit(life);
  if (error != 0) ThrowSystemError(info.Env(), error, "pthread_mutex_init");
  return {};
}

// lifeHold(buffer, offset)
Napi::Value Hold(const Napi::CallbackInfo& info) {
  void* life;
  MappingUse memory;
  if (!ReadLife(info, &life, &memory)) return {};
  Lives* lives = LivesOf(info.Env());
  const bool own = lives->Find(life) != lives->held.end();
  const bool full = lives->held.size() >= platform::kMostLives;
  const int error = own ? EBUSY : full ? ENOLCK : platform::LifeHold(life);
  if (error == 0) lives->held.push_back({life, std::move(memory)});
  else ThrowSystemError(info.Env(), error, "pthread_mutex_lock");
  return {};
}

// lifeRelease(buffer, offset) -> boolean
Napi::Value Release(const Napi::CallbackInfo& info) {
  void* life;
  MappingUse memory;
  if (!ReadLife(info, &life, &memory)) return {};
  Lives* lives = LivesOf(info.Env());
  const auto found = lives->Find(life);
  if (found == lives->held.end()) return Napi::Boolean::New(info.Env(), false);
  const int error = platform::LifeRelease(life);
  lives->held.erase(found);
  if (error == 0) return Napi::Boolean::New(info.Env(), true);
  ThrowSystemError(info.Env(), error, "pthread_mutex_unlock");
  return {};
}

// lifeEnded(buffer, offset) -> boolean
Napi::Value Ended(const Napi::CallbackInfo& info) {
  void* life;
  MappingUse memory;
  if (!ReadLife(info, &life, &memory)) return {};
  bool ended = false;
  const int error = platform::LifeEnded(life, &ended);
  if (error == 0) return Napi::Boolean::New(info.Env(), ended);
  ThrowSystemError(info.Env(), error, "pthread_mutex_trylock");
  return {};
}

}  // namespace

void ExportLife(Napi::Env env, Napi::Object exports) {
  exports.Set("lifeBytes", Napi::Number::New(env, platform::kLifeBytes));
  exports.Set("lifeInit", Napi::Function::New<Init>(env, "lifeInit"));
  exports.Set("lifeHold", Napi::Function::New<Hold>(env, "lifeHold"));
  exports.Set("lifeRelease", Napi::Function::New<Release>(env, "lifeRelease"));
  exports.Set("lifeEnded", Napi::Function::New<Ended>(env, "lifeEnded"));
}

}  // namespace mortise
