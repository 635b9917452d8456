// Arguments from JavaScript, checked. Each reader returns false after it has thrown a TypeError or RangeError that
// names the argument and the value.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

#include "mappings.h"
#include "platform.h"

namespace mortise {

bool ReadInteger(const Napi::CallbackInfo& info, size_t at, const char* name, int64_t least, int64_t most,
                 int64_t* value);
bool ReadFd(const Napi::CallbackInfo& info, size_t at, int* fd);
// Zero or more, Infinity included, which becomes platform::kForever.
bool ReadMilliseconds(const Napi::CallbackInfo& info, size_t at, double* milliseconds);
// An Int32Array and an index into it, as in Atomics.wait.
bool ReadWord(const Napi::CallbackInfo& info, size_t at, platform::Word** word);
// An ArrayBuffer from `map` and the place of a life in it.
bool ReadLife(const Napi::CallbackInfo& info, void** life, MappingUse* memory);

void ThrowTypeError(Napi::Env env, const char* name, const char* wanted, Napi::Value got);
// An Error with code, errno and syscall, as Node.js makes them.
void ThrowSystemError(Napi::Env env, int error, const char* call);

}  // namespace mortise
