#include "arguments.h"

#include <errno.h>

#include <cmath>
#include <string>

namespace mortise {
namespace {

std::string Describe(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_number: {
      const Napi::Value text = value.ToString();
      return text.As<Napi::String>().Utf8Value();
    }
    case napi_string:
      return "\"" + value.As<Napi::String>().Utf8Value() + "\"";
    case napi_boolean:
      return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_function:
      return "a function";
    case napi_symbol:
      return "a symbol";
    case napi_bigint:
      return "a bigint";
    default:
      return "an object";
  }
}

std::string Complaint(const char* name, const std::string& wanted, Napi::Value got) {
  return std::string(name) + " must be " + wanted + ", got " + Describe(got);
}

void ThrowRangeError(Napi::Env env, const char* name, const std::string& wanted, Napi::Value got) {
  Napi::RangeError::New(env, Complaint(name, wanted, got)).ThrowAsJavaScriptException();
}

bool ReadNumber(const Napi::CallbackInfo& info, size_t at, const char* name, double* value) {
  if (!info[at].IsNumber()) {
    ThrowTypeError(info.Env(), name, "a number", info[at]);
    return false;
  }
  *value = info[at].As<Napi::Number>().DoubleValue();
  return true;
}

struct Known {
  int error;
  const char* code;
  const char* text;
};
constexpr Known kKnown[] = {
    {EACCES, "EACCES", "permission denied"},
    {EAGAIN, "EAGAIN", "resource temporarily unavailable"},
    {EBADF, "EBADF", "bad file descriptor"},
    {EBUSY, "EBUSY", "resource busy"},
#ifdef EDQUOT
    {EDQUOT, "EDQUOT", "disk quota exceeded"},
#endif
    {EDEADLK, "EDEADLK", "resource deadlock would occur"},
    {EFAULT, "EFAULT", "bad address"},
    {EINVAL, "EINVAL", "invalid argument"},
    {EIO, "EIO", "i/o error"},
    {EMFILE, "EMFILE", "too many open files"},
    {ENFILE, "ENFILE", "file table overflow"},
    {ENODEV, "ENODEV", "no such device"},
    {ENOLCK, "ENOLCK", "no locks available"},
    {ENOMEM, "ENOMEM", "not enough memory"},
    {ENOSYS, "ENOSYS", "function not implemented"},
    {ENOTRECOVERABLE, "ENOTRECOVERABLE", "state not recoverable"},
    {EOPNOTSUPP, "EOPNOTSUPP", "operation not supported"},
    {EOVERFLOW, "EOVERFLOW", "value too large"},
    {EPERM, "EPERM", "operation not permitted"},
#ifdef ESTALE
    {ESTALE, "ESTALE", "stale file handle"},
#endif
};

Known Look(int error) {
  for (const Known& known : kKnown) {
    if (known.error == error) return known;
  }
  return {error, "UNKNOWN", "unknown error"};
}

}  // namespace

void ThrowTypeError(Napi::Env env, const char* name, const char* wanted, Napi::Value got) {
  Napi::TypeError::New(env, Complaint(name, wanted, got)).ThrowAsJavaScriptException();
}

void ThrowSystemError(Napi::Env env, int error, const char* call) {
  const Known known = Look(error);
  Napi::Error thrown =
      Napi::Error::New(env, std::string(known.code) + ": " + known.text + ", " + call);
  thrown.Set("errno", Napi::Number::New(env, -error));
  thrown.Set("code", Napi::String::New(env, known.code));
  thrown.Set("syscall", Napi::String::New(env, call));
  thrown.ThrowAsJavaScriptException();
}

bool ReadInteger(const Napi::CallbackInfo& info, size_t at, const char* name, int64_t least, int64_t most,
                 int64_t* value) {
  double number;
  if (!ReadNumber(info, at, name, &number)) return false;
  // NaN fails the first comparison.
  const bool fits = number >= static_cast<double>(least) && number <= static_cast<double>(most);
  if (!fits || std::floor(number) != number) {
    ThrowRangeError(info.Env(), name,
                    "an integer from " + std::to_string(least) + " to " + std::to_string(most), info[at]);
    return false;
  }
  *value = static_cast<int64_t>(number);
  return true;
}

bool ReadFd(const Napi::CallbackInfo& info, size_t at, int* fd) {
  int64_t value;
  if (!ReadInteger(info, at, "fd", 0, INT32_MAX, &value)) return false;
  *fd = static_cast<int>(value);
  return true;
}

bool ReadMilliseconds(const Napi::CallbackInfo& info, size_t at, double* milliseconds) {
  double number;
  if (!ReadNumber(info, at, "milliseconds", &number)) return false;
  if (!(number >= 0)) {
    ThrowRangeError(info.Env(), "milliseconds", "0 or more", info[at]);
    return false;
  }
  *milliseconds = std::isinf(number) ? platform::kForever : number;
  return true;
}

bool ReadWord(const Napi::CallbackInfo& info, size_t at, platform::Word** word) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  // Not Napi::Int32Array, which asks for more than is needed here, at each call.
  const napi_status status =
      napi_get_typedarray_info(info.Env(), info[at], &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_int32_array) {
    ThrowTypeError(info.Env(), "words", "an Int32Array", info[at]);
    return false;
  }
  if (length == 0) {
    ThrowRangeError(info.Env(), "words", "an Int32Array that is not empty", info[at]);
    return false;
  }
  int64_t index;
  if (!ReadInteger(info, at + 1, "index", 0, static_cast<int64_t>(length) - 1, &index)) return false;
  *word = platform::AsWord(static_cast<int32_t*>(data) + index);
  return true;
}

bool ReadLife(const Napi::CallbackInfo& info, void** life, MappingUse* memory) {
  if (!info[0].IsArrayBuffer()) {
    ThrowTypeError(info.Env(), "buffer", "an ArrayBuffer from map", info[0]);
    return false;
  }
  Napi::ArrayBuffer buffer = info[0].As<Napi::ArrayBuffer>();
  const int64_t most = static_cast<int64_t>(buffer.ByteLength()) - static_cast<int64_t>(platform::kLifeBytes);
  int64_t offset;
  if (!ReadInteger(info, 1, "offset", 0, most, &offset)) return false;
  if (offset % static_cast<int64_t>(platform::kLifeAlignment) != 0) {
    ThrowRangeError(info.Env(), "offset", "a multiple of " + std::to_string(platform::kLifeAlignment), info[1]);
    return false;
  }
  void* address = static_cast<uint8_t*>(buffer.Data()) + offset;
  MappingUse around = MappingAround(address, platform::kLifeBytes);
  if (around.get() == nullptr) {
    ThrowTypeError(info.Env(), "buffer", "an ArrayBuffer from map", info[0]);
    return false;
  }
  *life = address;
  *memory = std::move(around);
  return true;
}

}  // namespace mortise
