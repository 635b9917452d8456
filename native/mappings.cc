#include "mappings.h"

#include <errno.h>

#include <iterator>
#include <map>
#include <mutex>
#include <utility>

namespace mortise {
namespace {

struct Table {
  std::mutex mutex;
  std::map<std::pair<uint64_t, uint64_t>, Mapping*> by_file;
  std::map<uintptr_t, Mapping*> by_address;
};

// Never destroyed: threads may end after the statics of the process have gone.
Table& TheTable() {
  static Table* table = new Table;
  return *table;
}

std::pair<uint64_t, uint64_t> KeyOf(const platform::FileIdentity& file) { return {file.device, file.inode}; }

}  // namespace

MappingUse::~MappingUse() {
  if (mapping_ == nullptr) return;
  Table& table = TheTable();
  {
    std::lock_guard<std::mutex> lock(table.mutex);
    if (--mapping_->uses > 0) return;
    table.by_address.erase(reinterpret_cast<uintptr_t>(mapping_->address));
    const auto found = table.by_file.find(KeyOf(mapping_->file));
    // A larger mapping may have taken its place.
    if (found != table.by_file.end() && found->second == mapping_) table.by_file.erase(found);
    // Within the lock: the address is free for others from here on.
    platform::Unguard(mapping_->guard);
    platform::Unmap(mapping_->address, mapping_->bytes);
  }
  delete mapping_;
}

int MapFile(int fd, size_t bytes, bool guarded, MappingUse* use) {
  platform::FileIdentity file;
  int error = platform::Identify(fd, &file);
  if (error != 0) return error;
  if (file.size < bytes) return ERANGE;

  Table& table = TheTable();
  std::lock_guard<std::mutex> lock(table.mutex);
  Mapping*& known = table.by_file[KeyOf(file)];
  // One that was cut keeps the zeros that took the place of the file.
  if (known == nullptr || known->bytes < bytes || platform::WasCut(known->guard)) {
    void* address = nullptr;
    error = platform::Map(fd, bytes, &address);
    if (error != 0) {
      if (known == nullptr) table.by_file.erase(KeyOf(file));
      return error;
    }
    known = new Mapping{file, address, bytes, 0, nullptr};
    table.by_address[reinterpret_cast<uintptr_t>(address)] = known;
  }
  if (guarded && known->guard == nullptr) known->guard = platform::GuardMemory(known->address, known->bytes);
  known->uses++;
  *use = MappingUse(known);
  return 0;
}

MappingUse MappingAround(const void* address, size_t bytes) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(address);
  Table& table = TheTable();
  std::lock_guard<std::mutex> lock(table.mutex);
  auto after = table.by_address.upper_bound(first);
  if (after == table.by_address.begin()) return MappingUse();
  Mapping* mapping = std::prev(after)->second;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(mapping->address);
  if (first - begin > mapping->bytes || bytes > mapping->bytes - (first - begin)) return MappingUse();
  mapping->uses++;
  return MappingUse(mapping);
}

}  // namespace mortise
