// The file that a call is about: a path, whose last component is never followed if it is a symbolic
// link, or a descriptor. Paths are bytes, since names need not be text.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>

namespace gdo {

struct FileTarget {
  std::string path;
  int fd = -1;  // Not negative: the path is not used.

  [[nodiscard]] bool IsOpen() const { return fd >= 0; }
};

// True when argument `index` is a Uint8Array or a number; otherwise a TypeError is pending.
bool RequireTarget(const Napi::CallbackInfo& info, size_t index);

// RequireTarget came first.
FileTarget TargetArgument(const Napi::CallbackInfo& info, size_t index);

// The bytes of argument `index` with a NUL after them; RequireBytes came first.
std::string StringArgument(const Napi::CallbackInfo& info, size_t index);

// 0 for success, else what errno says.
Napi::Value ErrnoOf(Napi::Env env, int result);

}  // namespace gdo
