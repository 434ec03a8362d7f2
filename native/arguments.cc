#include "arguments.h"

#include <algorithm>
#include <array>

namespace gdo {

bool RequireBytes(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Value value = info[index];
  const bool is_bytes =
      value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  if (!is_bytes) ThrowTypeError(info.Env(), "expected a Uint8Array");
  return is_bytes;
}

std::span<const uint8_t> BytesArgument(const Napi::CallbackInfo& info, size_t index) {
  const auto bytes = info[index].As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

Napi::Uint8Array CopyOut(Napi::Env env, std::span<const uint8_t> bytes) {
  Napi::Uint8Array copy = Napi::Uint8Array::New(env, bytes.size());
  if (copy.IsEmpty()) return copy;
  std::copy(bytes.begin(), bytes.end(), copy.Data());
  return copy;
}

void ThrowTypeError(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

void ExportFunction(Napi::Object exports, const char* name,
                    Napi::Value (*function)(const Napi::CallbackInfo& info)) {
  exports.Set(name, Napi::Function::New(exports.Env(), function, name));
}

Napi::String TextOf(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::String HexOf(Napi::Env env, std::span<const uint8_t, 32> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 2 * bytes.size()> hex;
  size_t at = 0;
  for (const uint8_t byte : bytes) {
    hex[at++] = kDigits[byte >> 4U];
    hex[at++] = kDigits[byte & 0xfU];
  }
  return TextOf(env, {hex.data(), hex.size()});
}

}  // namespace gdo
