#include <napi.h>

#include "exports.h"
#include "platform.h"

namespace mortise {
namespace {

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment);

  const platform::Capabilities has = platform::Ask();
  Napi::Object capabilities = Napi::Object::New(env);
  capabilities.Set("platform", has.platform);
  capabilities.Set("futex", has.futex);
  capabilities.Set("robustMutex", has.robust_mutex);
  capabilities.Set("waitv", has.waitv);
  exports.Set("capabilities", capabilities);

  ExportFiles(env, exports);
  ExportFutex(env, exports);
  ExportWatch(env, exports);
  ExportLife(env, exports);
  return exports;
}

}  // namespace
}  // namespace mortise

static Napi::Object InitialiseMortise(Napi::Env env, Napi::Object exports) {
  return mortise::Initialise(env, exports);
}
NODE_API_MODULE(mortise, InitialiseMortise)
