// blake3(bytes) and blake3DeriveKey(context, bytes) -> Uint8Array of 32 bytes.
// Owner: `bytes` is borrowed for the call; the result is a new array.
// Threads: runs on the JavaScript thread; for small inputs. Streams go through Chunker.
#include "core/blake3.h"

#include <string>

#include "addon.h"
#include "arguments.h"

namespace gdo {
namespace {

Napi::Value DigestOf(const Napi::CallbackInfo& info, Blake3 hash, size_t bytes_index) {
  hash.Update(BytesArgument(info, bytes_index));
  return CopyOut(info.Env(), hash.Finish());
}

Napi::Value HashBytes(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0)) return {};
  return DigestOf(info, Blake3::Hash(), 0);
}

Napi::Value DeriveKey(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) {
    ThrowTypeError(info.Env(), "expected a context string");
    return {};
  }
  if (!RequireBytes(info, 1)) return {};
  const std::string context = info[0].As<Napi::String>().Utf8Value();
  return DigestOf(info, Blake3::DeriveKey(context), 1);
}

}  // namespace

void ExportBlake3(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "blake3", HashBytes);
  ExportFunction(exports, "blake3DeriveKey", DeriveKey);
}

}  // namespace gdo
