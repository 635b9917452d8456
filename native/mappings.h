// The mapped files of this process: one mapping for each file, whichever threads ask for it.
#pragma once

#include <cstddef>
#include <utility>

#include "platform.h"

namespace mortise {

// A mapping stays while somebody uses it: an ArrayBuffer over it, a watched word or a held life in it.
struct Mapping {
  platform::FileIdentity file;
  void* address;
  size_t bytes;
  size_t uses;
  platform::Guard* guard;  // null: touching what is cut off kills
};

class MappingUse {
 public:
  MappingUse() = default;
  // Takes over one use that was counted already.
  explicit MappingUse(Mapping* counted) : mapping_(counted) {}
  MappingUse(MappingUse&& other) noexcept : mapping_(std::exchange(other.mapping_, nullptr)) {}
  MappingUse& operator=(MappingUse&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    return *this;
  }
  ~MappingUse();

  Mapping* get() const { return mapping_; }
  // It never ends.
  void leave() { mapping_ = nullptr; }

 private:
  Mapping* mapping_ = nullptr;
};

// 0 or an errno. ERANGE: the file has fewer bytes, and touching those that are missing would kill the process.
int MapFile(int fd, size_t bytes, bool guarded, MappingUse* use);
// The mapping that holds these bytes, or an empty use: memory that may vanish is neither watched nor lived in.
MappingUse MappingAround(const void* address, size_t bytes);

}  // namespace mortise
