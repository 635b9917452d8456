// flock, flockLinks and map.
#include "exports.h"

#include <errno.h>

#include <string>

#include "arguments.h"
#include "mappings.h"
#include "platform.h"

namespace mortise {
namespace {

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
    call = "fstat";
    error = platform::Identify(fd, &file);
  }
  if (error == 0) return Napi::Number::New(info.Env(), static_cast<double>(file.links));
  ThrowSystemError(info.Env(), error, call);
  return {};
}

// map(fd, bytes) -> ArrayBuffer
Napi::Value Map(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int fd;
  int64_t bytes;
  if (!ReadFd(info, 0, &fd) || !ReadInteger(info, 1, "bytes", 1, INT32_MAX, &bytes)) return {};
  MappingUse use;
  const int error = MapFile(fd, static_cast<size_t>(bytes), &use);
  if (error == ERANGE) {
    Napi::RangeError::New(env, "bytes must be at most the size of the file, got " + std::to_string(bytes))
        .ThrowAsJavaScriptException();
    return {};
  }
  if (error != 0) {
    ThrowSystemError(env, error, "mmap");
    return {};
  }
  Mapping* mapping = use.get();
  napi_value buffer;
  const napi_status status = napi_create_external_arraybuffer(
      env, mapping->address, static_cast<size_t>(bytes),
      [](node_api_nogc_env, void*, void* counted) { MappingUse ended(static_cast<Mapping*>(counted)); }, mapping,
      &buffer);
  if (status != napi_ok) {
    // Electron, for one, keeps all memory of JavaScript in a cage.
    if (status == napi_no_external_buffers_allowed) ThrowSystemError(env, EOPNOTSUPP, "external ArrayBuffer");
    else if (!env.IsExceptionPending()) ThrowSystemError(env, ENOMEM, "external ArrayBuffer");
    return {};
  }
  use.leave();  // it is the ArrayBuffer's from here on
  return Napi::Value(env, buffer);
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
  exports.Set("map", Napi::Function::New<Map>(env, "map"));
}

}  // namespace mortise
