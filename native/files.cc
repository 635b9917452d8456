// flock, flockLinks, microseconds, map and unmap.
#include "exports.h"

#include <errno.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "mappings.h"
#include "platform.h"

namespace mortise {

// Which descriptors this thread has locked by flockLinks. Node.js closes those of a worker that ends, but not if it was
// made with `trackUnmanagedFds: false`.
struct FileLocks {
  std::vector<bool> of;
};

namespace {

void UnlockAll(void* data) {
  Environment* environment = static_cast<Environment*>(data);
  const std::unique_ptr<FileLocks> locks(std::exchange(environment->file_locks, nullptr));
  for (size_t fd = 0; fd < locks->of.size(); fd++) {
    if (locks->of[fd]) platform::Flock(static_cast<int>(fd), platform::FlockMode::kUnlock);
  }
}

void NoteLocked(Napi::Env env, int fd) {
  Environment* environment = env.GetInstanceData<Environment>();
  if (environment->file_locks == nullptr) {
    environment->file_locks = new FileLocks;
    napi_add_env_cleanup_hook(env, UnlockAll, environment);
  }
  std::vector<bool>& of = environment->file_locks->of;
  if (of.size() <= static_cast<size_t>(fd)) of.resize(fd + 1);
  of[fd] = true;
}

void NoteUnlocked(Napi::Env env, int fd) {
  FileLocks* locks = env.GetInstanceData<Environment>()->file_locks;
  if (locks != nullptr && static_cast<size_t>(fd) < locks->of.size()) locks->of[fd] = false;
}

// The numbers of `flockModes`.
enum Mode : int64_t { kShared = 1, kExclusive = 2, kUnlock = 3 };

bool ReadMode(const Napi::CallbackInfo& info, size_t at, platform::FlockMode* mode) {
  int64_t number;
  if (!ReadInteger(info, at, "mode", kShared, kUnlock, &number)) return false;
  *mode = number == kShared      ? platform::FlockMode::kShared
          : number == kExclusive ? platform::FlockMode::kExclusive
                                 : platform::FlockMode::kUnlock;
  return true;
}

// flock(fd, mode) -> boolean
Napi::Value Flock(const Napi::CallbackInfo& info) {
  int fd;
  platform::FlockMode mode;
  if (!ReadFd(info, 0, &fd) || !ReadMode(info, 1, &mode)) return {};
  const int error = platform::Flock(fd, mode);
  if (mode == platform::FlockMode::kUnlock) NoteUnlocked(info.Env(), fd);
  if (error == 0) return Napi::Boolean::New(info.Env(), true);
  if (error == EWOULDBLOCK) return Napi::Boolean::New(info.Env(), false);
  ThrowSystemError(info.Env(), error, "flock");
  return {};
}

// flockLinks(fd, mode) -> number
Napi::Value FlockLinks(const Napi::CallbackInfo& info) {
  int fd;
  platform::FlockMode mode;
  if (!ReadFd(info, 0, &fd) || !ReadMode(info, 1, &mode)) return {};
  int error = platform::Flock(fd, mode);
  if (error == EWOULDBLOCK) return Napi::Number::New(info.Env(), -1);
  const char* call = "flock";
  platform::FileIdentity file;
  if (error == 0) {
    if (mode == platform::FlockMode::kUnlock) NoteUnlocked(info.Env(), fd);
    else NoteLocked(info.Env(), fd);
    call = "fstat";
    error = platform::Identify(fd, &file);
  }
  if (error == 0) return Napi::Number::New(info.Env(), static_cast<double>(file.links));
  ThrowSystemError(info.Env(), error, call);
  return {};
}

// microseconds() -> number
Napi::Value Microseconds(const Napi::CallbackInfo& info) {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// map(fd, bytes, guarded?) -> ArrayBuffer
Napi::Value Map(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int fd;
  int64_t bytes;
  if (!ReadFd(info, 0, &fd) || !ReadInteger(info, 1, "bytes", 1, INT32_MAX, &bytes)) return {};
  if (!info[2].IsUndefined() && !info[2].IsBoolean()) {
    ThrowTypeError(env, "guarded", "true or false", info[2]);
    return {};
  }
  const bool guarded = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  MappingUse use;
  const int error = MapFile(fd, static_cast<size_t>(bytes), guarded, &use);
  if (error == ERANGE) {
    Napi::RangeError::New(env, "bytes must be at most the size of the file, got " + std::to_string(bytes))
        .ThrowAsJavaScriptException();
    return {};
  }
  if (error != 0) {
    ThrowSystemError(env, error, "mmap");
    return {};
  }
  std::unique_ptr<MappingUse> lent = std::make_unique<MappingUse>(std::move(use));
  napi_value buffer;
  const napi_status status = napi_create_external_arraybuffer(
      env, lent->get()->address, static_cast<size_t>(bytes),
      [](node_api_nogc_env, void*, void* ended) { delete static_cast<MappingUse*>(ended); }, lent.get(), &buffer);
  if (status != napi_ok) {
    // Electron, for one, keeps all memory of JavaScript in a cage.
    if (status == napi_no_external_buffers_allowed) ThrowSystemError(env, EOPNOTSUPP, "external ArrayBuffer");
    else if (!env.IsExceptionPending()) ThrowSystemError(env, ENOMEM, "external ArrayBuffer");
    return {};
  }
  MappingUse* owned = lent.release();  // it is the ArrayBuffer's from here on
  if (napi_wrap(env, buffer, owned, nullptr, nullptr, nullptr) != napi_ok) {
    ThrowSystemError(env, ENOMEM, "external ArrayBuffer");
    return {};
  }
  return Napi::Value(env, buffer);
}

// unmap(buffer)
Napi::Value Unmap(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  void* lent = nullptr;
  if (!info[0].IsArrayBuffer() || napi_remove_wrap(env, info[0], &lent) != napi_ok) {
    ThrowTypeError(env, "buffer", "an ArrayBuffer from map", info[0]);
    return {};
  }
  // Now. Node.js deletes what is left of the use later, from its event loop.
  MappingUse ended = std::move(*static_cast<MappingUse*>(lent));
  if (napi_detach_arraybuffer(env, info[0]) == napi_ok) return {};
  ended.leave();  // whoever has the buffer may touch the memory for ever
  ThrowTypeError(env, "buffer", "an ArrayBuffer that can be detached", info[0]);
  return {};
}

}  // namespace

void ExportFiles(Napi::Env env, Napi::Object exports) {
  Napi::Object modes = Napi::Object::New(env);
  modes.Set("shared", Napi::Number::New(env, kShared));
  modes.Set("exclusive", Napi::Number::New(env, kExclusive));
  modes.Set("unlock", Napi::Number::New(env, kUnlock));
  exports.Set("flockModes", modes);
  exports.Set("flock", Napi::Function::New<Flock>(env, "flock"));
  exports.Set("flockLinks", Napi::Function::New<FlockLinks>(env, "flockLinks"));
  exports.Set("microseconds", Napi::Function::New<Microseconds>(env, "microseconds"));
  exports.Set("map", Napi::Function::New<Map>(env, "map"));
  exports.Set("unmap", Napi::Function::New<Unmap>(env, "unmap"));
}

}  // namespace mortise
