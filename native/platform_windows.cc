// Windows: LockFileEx and file mappings.
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <errno.h>
#include <windows.h>

#include "platform.h"

namespace mortise::platform {
namespace {

// Descriptors belong to the C runtime inside node.exe, which libuv alone can ask. Looked up by name, because the
// import library of Node-API does not list it.
HANDLE HandleOf(int fd) {
  using GetHandle = HANDLE (*)(int);
  static const auto get =
      reinterpret_cast<GetHandle>(GetProcAddress(GetModuleHandle(nullptr), "uv_get_osfhandle"));
  return get == nullptr ? INVALID_HANDLE_VALUE : get(fd);
}

int ErrnoOf(DWORD error) {
  switch (error) {
    case ERROR_LOCK_VIOLATION:
    case ERROR_IO_PENDING:
      return EWOULDBLOCK;
    case ERROR_INVALID_HANDLE:
      return EBADF;
    case ERROR_ACCESS_DENIED:
      return EACCES;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
      return ENOMEM;
    case ERROR_NOT_SUPPORTED:
    case ERROR_INVALID_FUNCTION:
      return EOPNOTSUPP;
    default:
      return EIO;
  }
}

// A byte that no file reaches: LockFileEx is mandatory, and the contents must stay readable to those who wait.
OVERLAPPED LockedByte() {
  OVERLAPPED place{};
  place.Offset = 0xFFFFFFFE;
  place.OffsetHigh = 0x7FFFFFFF;
  return place;
}

}  // namespace

Capabilities Ask() { return {"win32", false, false, false}; }

int Flock(int fd, FlockMode mode) {
  HANDLE file = HandleOf(fd);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  OVERLAPPED place = LockedByte();
  if (mode == FlockMode::kUnlock) {
    if (UnlockFileEx(file, 0, 1, 0, &place)) return 0;
    const DWORD error = GetLastError();
    return error == ERROR_NOT_LOCKED ? 0 : ErrnoOf(error);
  }
  const DWORD exclusive = mode == FlockMode::kExclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0;
  return LockFileEx(file, LOCKFILE_FAIL_IMMEDIATELY | exclusive, 0, 1, 0, &place) ? 0 : ErrnoOf(GetLastError());
}

int Identify(int fd, FileIdentity* identity) {
  HANDLE file = HandleOf(fd);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  BY_HANDLE_FILE_INFORMATION information;
  if (!GetFileInformationByHandle(file, &information)) return ErrnoOf(GetLastError());
  identity->device = information.dwVolumeSerialNumber;
  identity->inode = (static_cast<uint64_t>(information.nFileIndexHigh) << 32) | information.nFileIndexLow;
  identity->size = (static_cast<uint64_t>(information.nFileSizeHigh) << 32) | information.nFileSizeLow;
  identity->links = information.nNumberOfLinks;
  return 0;
}

int Map(int fd, size_t bytes, void** address) {
  HANDLE file = HandleOf(fd);
  if (file == INVALID_HANDLE_VALUE) return EBADF;
  HANDLE mapping = CreateFileMappingW(file, nullptr, PAGE_READWRITE, 0, 0, nullptr);
  if (mapping == nullptr) return ErrnoOf(GetLastError());
  void* view = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes);
  const DWORD error = GetLastError();
  CloseHandle(mapping);  // the view keeps it
  if (view == nullptr) return ErrnoOf(error);
  *address = view;
  return 0;
}

void Unmap(void* address, size_t) { UnmapViewOfFile(address); }

// A file that is mapped cannot be cut.
Guard* GuardMemory(void*, size_t) { return nullptr; }
bool WasCut(const Guard*) { return false; }
void Unguard(Guard*) {}

}  // namespace mortise::platform
