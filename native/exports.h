// What the addon gives JavaScript, a function for each subject. src/native.ts describes every export.
#pragma once

#include <napi.h>

namespace mortise {

// What one thread of Node.js has of its own; it goes with that thread.
struct FileLocks;
struct Lives;
struct Watcher;
struct Environment {
  FileLocks* file_locks = nullptr;
  Lives* lives = nullptr;
  Watcher* watcher = nullptr;
};

void ExportFiles(Napi::Env env, Napi::Object exports);
void ExportFutex(Napi::Env env, Napi::Object exports);
void ExportWatch(Napi::Env env, Napi::Object exports);
void ExportLife(Napi::Env env, Napi::Object exports);

}  // namespace mortise
