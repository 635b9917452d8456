// futexWait and futexWake.
#include "exports.h"

#include <climits>
#include <cmath>

#include "arguments.h"
#include "platform.h"

namespace mortise {
namespace {

// futexWait(words, index, expected, milliseconds) -> 'ok' | 'not-equal' | 'timed-out'
Napi::Value Wait(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  platform::Word* word;
  int64_t expected;
  double milliseconds;
  if (!ReadWord(info, 0, &word) || !ReadInteger(info, 2, "expected", INT32_MIN, INT32_MAX, &expected) ||
      !ReadMilliseconds(info, 3, &milliseconds)) {
    return {};
  }
  int error = 0;
  switch (platform::FutexWait(word, static_cast<uint32_t>(expected), milliseconds, &error)) {
    case platform::Waited::kWoken:
      return Napi::String::New(env, "ok");
    case platform::Waited::kNotEqual:
      return Napi::String::New(env, "not-equal");
    case platform::Waited::kTimedOut:
      return Napi::String::New(env, "timed-out");
    case platform::Waited::kFailed:
      break;
  }
  ThrowSystemError(env, error, "futex");
  return {};
}

// futexWake(words, index, count) -> number
Napi::Value Wake(const Napi::CallbackInfo& info) {
  platform::Word* word;
  if (!ReadWord(info, 0, &word)) return {};
  int64_t count = INT_MAX;
  const bool all = info[2].IsNumber() && info[2].As<Napi::Number>().DoubleValue() == HUGE_VAL;
  if (!all && !ReadInteger(info, 2, "count", 0, INT_MAX, &count)) return {};
  const int woken = count == 0 ? 0 : platform::FutexWake(word, static_cast<int>(count));
  if (woken >= 0) return Napi::Number::New(info.Env(), woken);
  ThrowSystemError(info.Env(), -woken, "futex");
  return {};
}

}  // namespace

void ExportFutex(Napi::Env env, Napi::Object exports) {
  exports.Set("futexWait", Napi::Function::New<Wait>(env, "futexWait"));
  exports.Set("futexWake", Napi::Function::New<Wake>(env, "futexWake"));
}

}  // namespace mortise
