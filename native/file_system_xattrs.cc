// listXattrs(target), getXattr(target, name) -> bytes or errno; setXattr(target, name, value),
// removeXattr(target, name) -> errno or 0. Extended attributes: ACLs, capabilities and labels are
// among them. Names are listed as the kernel gives them, each with a NUL after it.
// Owner: arguments are borrowed for the call. Threads: runs on the JavaScript thread; each is one
// or two system calls that do not wait.
#include <sys/xattr.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "file_target.h"

namespace gdo {
namespace {

// What the kernel writes into a buffer whose size must be asked for first; it may grow in between.
Napi::Value ReadSized(Napi::Env env, const std::function<ssize_t(char*, size_t)>& read) {
  std::vector<char> buffer;
  for (;;) {
    const ssize_t size = read(nullptr, 0);
    if (size < 0) return ErrnoOf(env, -1);
    buffer.resize(static_cast<size_t>(size));
    const ssize_t got = size == 0 ? 0 : read(buffer.data(), buffer.size());
    if (got < 0 && errno == ERANGE) continue;
    if (got < 0) return ErrnoOf(env, -1);
    return CopyOut(env,
                   {reinterpret_cast<const uint8_t*>(buffer.data()), static_cast<size_t>(got)});
  }
}

Napi::Value ListXattrs(const Napi::CallbackInfo& info) {
  if (!RequireTarget(info, 0)) return {};
  const FileTarget file = TargetArgument(info, 0);
  return ReadSized(info.Env(), [&file](char* list, size_t size) {
    return file.IsOpen() ? flistxattr(file.fd, list, size)
                         : llistxattr(file.path.c_str(), list, size);
  });
}

Napi::Value GetXattr(const Napi::CallbackInfo& info) {
  if (!RequireTarget(info, 0) || !RequireBytes(info, 1)) return {};
  const FileTarget file = TargetArgument(info, 0);
  const std::string name = StringArgument(info, 1);
  return ReadSized(info.Env(), [&file, &name](char* value, size_t size) {
    return file.IsOpen() ? fgetxattr(file.fd, name.c_str(), value, size)
                         : lgetxattr(file.path.c_str(), name.c_str(), value, size);
  });
}

Napi::Value SetXattr(const Napi::CallbackInfo& info) {
  if (!RequireTarget(info, 0) || !RequireBytes(info, 1) || !RequireBytes(info, 2)) return {};
  const FileTarget file = TargetArgument(info, 0);
  const std::string name = StringArgument(info, 1);
  const auto value = BytesArgument(info, 2);
  const int result =
      file.IsOpen() ? fsetxattr(file.fd, name.c_str(), value.data(), value.size(), 0)
                    : lsetxattr(file.path.c_str(), name.c_str(), value.data(), value.size(), 0);
  return ErrnoOf(info.Env(), result);
}

Napi::Value RemoveXattr(const Napi::CallbackInfo& info) {
  if (!RequireTarget(info, 0) || !RequireBytes(info, 1)) return {};
  const FileTarget file = TargetArgument(info, 0);
  const std::string name = StringArgument(info, 1);
  return ErrnoOf(info.Env(), file.IsOpen() ? fremovexattr(file.fd, name.c_str())
                                           : lremovexattr(file.path.c_str(), name.c_str()));
}

}  // namespace

void ExportFileSystemXattrs(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "listXattrs", ListXattrs);
  ExportFunction(exports, "getXattr", GetXattr);
  ExportFunction(exports, "setXattr", SetXattr);
  ExportFunction(exports, "removeXattr", RemoveXattr);
}

}  // namespace gdo
