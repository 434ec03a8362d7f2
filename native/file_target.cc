#include "file_target.h"

#include <cerrno>

#include "arguments.h"

namespace gdo {

bool RequireTarget(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsNumber() || RequireBytes(info, index);
}

FileTarget TargetArgument(const Napi::CallbackInfo& info, size_t index) {
  if (info[index].IsNumber()) return {{}, info[index].As<Napi::Number>().Int32Value()};
  return {StringArgument(info, index), -1};
}

std::string StringArgument(const Napi::CallbackInfo& info, size_t index) {
  const auto bytes = BytesArgument(info, index);
  return {bytes.begin(), bytes.end()};
}

Napi::Value ErrnoOf(Napi::Env env, int result) {
  return Napi::Number::New(env, result == 0 ? 0 : errno);
}

}  // namespace gdo
