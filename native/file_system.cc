// tryLockFile(fd) -> boolean; setModifiedTime(target, mtimeNs), makeNode(path, mode, major, minor)
// -> errno or 0. What Node.js cannot ask of the kernel: a lock that dies with its process, times to
// the nanosecond, device nodes and named pipes. Paths are bytes, since names need not be text.
// Owner: arguments are borrowed for the call. Threads: runs on the JavaScript thread; each is one
// system call that does not wait.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string>

#include "addon.h"
#include "arguments.h"
#include "file_target.h"

namespace gdo {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

bool RequireNumbers(const Napi::CallbackInfo& info, size_t first, size_t last) {
  for (size_t index = first; index <= last; ++index) {
    if (info[index].IsNumber()) continue;
    ThrowTypeError(info.Env(), "expected a number");
    return false;
  }
  return true;
}

Napi::Value TryLockFile(const Napi::CallbackInfo& info) {
  if (!RequireNumbers(info, 0, 0)) return {};
  const int fd = info[0].As<Napi::Number>().Int32Value();
  return Napi::Boolean::New(info.Env(), flock(fd, LOCK_EX | LOCK_NB) == 0);
}

Napi::Value SetModifiedTime(const Napi::CallbackInfo& info) {
  if (!RequireTarget(info, 0)) return {};
  if (!info[1].IsBigInt()) {
    ThrowTypeError(info.Env(), "expected a time in nanoseconds as a BigInt");
    return {};
  }
  bool is_lossless = false;
  const int64_t nanoseconds = info[1].As<Napi::BigInt>().Int64Value(&is_lossless);
  int64_t seconds = nanoseconds / kNanosecondsPerSecond;
  int64_t rest = nanoseconds % kNanosecondsPerSecond;
  if (rest < 0) {  // Before 1970 the nanoseconds still count forward.
    rest += kNanosecondsPerSecond;
    --seconds;
  }
  const timespec modified = {static_cast<time_t>(seconds), static_cast<long>(rest)};
  const timespec times[2] = {{0, UTIME_OMIT}, modified};
  const FileTarget file = TargetArgument(info, 0);
  return ErrnoOf(info.Env(), file.IsOpen() ? futimens(file.fd, times)
                                           : utimensat(AT_FDCWD, file.path.c_str(), times,
                                                       AT_SYMLINK_NOFOLLOW));
}

Napi::Value MakeNode(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0) || !RequireNumbers(info, 1, 3)) return {};
  const auto number = [&info](size_t index) {
    return info[index].As<Napi::Number>().Uint32Value();
  };
  const std::string path = StringArgument(info, 0);
  const dev_t device = makedev(number(2), number(3));
  return ErrnoOf(info.Env(), mknod(path.c_str(), static_cast<mode_t>(number(1)), device));
}

}  // namespace

void ExportFileSystem(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "tryLockFile", TryLockFile);
  ExportFunction(exports, "setModifiedTime", SetModifiedTime);
  ExportFunction(exports, "makeNode", MakeNode);
}

}  // namespace gdo
