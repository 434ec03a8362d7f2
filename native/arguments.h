// Arguments as lib/addon.ts passes them. It has checked them already and tells its caller what is
// wrong; here a wrong one is a bug, and the TypeError only keeps it from becoming a wrong read.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace gdo {

// True when argument `index` is a Uint8Array; otherwise a TypeError is pending.
bool RequireBytes(const Napi::CallbackInfo& info, size_t index);

// Borrowed: valid until the call returns to JavaScript. RequireBytes came first.
std::span<const uint8_t> BytesArgument(const Napi::CallbackInfo& info, size_t index);

// A new array that JavaScript owns. Empty when JavaScript can take no more objects, because memory
// has run out (an exception is pending) or the worker is being terminated.
Napi::Uint8Array CopyOut(Napi::Env env, std::span<const uint8_t> bytes);

void ThrowTypeError(Napi::Env env, const char* message);

// Sets a function on the exports.
void ExportFunction(Napi::Object exports, const char* name,
                    Napi::Value (*function)(const Napi::CallbackInfo& info));

Napi::String TextOf(Napi::Env env, std::string_view text);

// Two digits for each byte.
Napi::String HexOf(Napi::Env env, std::span<const uint8_t, 32> bytes);

}  // namespace gdo
