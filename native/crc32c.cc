// crc32c(bytes) -> number.
// Owner: `bytes` is borrowed for the call. Threads: runs on the JavaScript thread.
#include "core/crc32c.h"

#include "addon.h"
#include "arguments.h"

namespace gdo {
namespace {

Napi::Value CrcOf(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0)) return {};
  return Napi::Number::New(info.Env(), Crc32c(BytesArgument(info, 0)));
}

}  // namespace

void ExportCrc32c(Napi::Env, Napi::Object exports) { ExportFunction(exports, "crc32c", CrcOf); }

}  // namespace gdo
