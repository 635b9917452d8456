// macOS: its futexes (__ulock) are no public interface.
#include "platform.h"

namespace mortise::platform {

Capabilities Ask() { return {"darwin", false, false, false}; }

}  // namespace mortise::platform
