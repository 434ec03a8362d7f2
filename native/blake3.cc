// blake3(bytes) and blake3DeriveKey(context, bytes) -> Uint8Array of 32 bytes;
// blake3DeriveKeyHex(context, bytes, more?) -> 64 digits, of all bytes one after another, in half
// the time: a text is cheaper to make than an array; blake3DeriveKeys(context, bytes, lengths) ->
// 32 bytes for each piece, one after another. Owner: `bytes` is borrowed for the call; the result
// is a new array. Threads: runs on the JavaScript thread; for small inputs. Streams go through
// Chunker.
#include "core/blake3.h"

#include <cstring>
#include <string>
#include <vector>

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

// False with a TypeError pending unless a context and bytes were given.
bool RequireContext(const Napi::CallbackInfo& info) {
  if (info[0].IsString()) return RequireBytes(info, 1);
  ThrowTypeError(info.Env(), "expected a context string");
  return false;
}

Blake3 KeyOf(const Napi::CallbackInfo& info) {
  return Blake3::DeriveKey(info[0].As<Napi::String>().Utf8Value());
}

Napi::Value DeriveKey(const Napi::CallbackInfo& info) {
  if (!RequireContext(info)) return {};
  return DigestOf(info, KeyOf(info), 1);
}

Napi::Value DeriveKeyHex(const Napi::CallbackInfo& info) {
  const bool is_more = info.Length() > 2;
  if (!RequireContext(info) || (is_more && !RequireBytes(info, 2))) return {};
  Blake3 hash = KeyOf(info);
  hash.Update(BytesArgument(info, 1));
  if (is_more) hash.Update(BytesArgument(info, 2));
  return HexOf(info.Env(), hash.Finish());
}

Napi::Value DeriveKeys(const Napi::CallbackInfo& info) {
  if (!RequireContext(info) || !RequireBytes(info, 2)) return {};
  const Blake3 key = KeyOf(info);
  std::span<const uint8_t> bytes = BytesArgument(info, 1);
  const std::span<const uint8_t> lengths = BytesArgument(info, 2);
  std::vector<uint8_t> digests;
  for (size_t at = 0; at + sizeof(uint32_t) <= lengths.size(); at += sizeof(uint32_t)) {
    uint32_t length;  // As a Uint32Array has it.
    std::memcpy(&length, lengths.data() + at, sizeof length);
    if (length > bytes.size()) {
      ThrowTypeError(info.Env(), "the lengths are more than the bytes");
      return {};
    }
    Blake3 hash = key;
    hash.Update(bytes.first(length));
    bytes = bytes.subspan(length);
    const Blake3::Digest digest = hash.Finish();
    digests.insert(digests.end(), digest.begin(), digest.end());
  }
  return CopyOut(info.Env(), digests);
}

}  // namespace

void ExportBlake3(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "blake3", HashBytes);
  ExportFunction(exports, "blake3DeriveKey", DeriveKey);
  ExportFunction(exports, "blake3DeriveKeyHex", DeriveKeyHex);
  ExportFunction(exports, "blake3DeriveKeys", DeriveKeys);
}

}  // namespace gdo
