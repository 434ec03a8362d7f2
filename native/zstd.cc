// zstdCompress(bytes, level) -> Uint8Array, or undefined when zstd fails.
// zstdDecompress(frame, sizeBytes) -> Uint8Array of that size, or undefined when the frame is not
// exactly that. lib/addon.ts bounds both sizes.
// Owner: inputs are borrowed for the call; results are new arrays.
// Threads: runs on the JavaScript thread with that environment's own contexts.
#include <optional>
#include <vector>

#include "addon.h"
#include "arguments.h"

namespace gdo {
namespace {

bool RequireNumber(const Napi::CallbackInfo& info, size_t index) {
  if (info[index].IsNumber()) return true;
  ThrowTypeError(info.Env(), "expected a number");
  return false;
}

Napi::Value Compress(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0) || !RequireNumber(info, 1)) return {};
  const Napi::Env env = info.Env();
  const int level = info[1].As<Napi::Number>().Int32Value();
  const std::optional<std::vector<uint8_t>> frame =
      env.GetInstanceData<AddonState>()->zstd.Compress(BytesArgument(info, 0), level);
  if (!frame.has_value()) return env.Undefined();
  return CopyOut(env, *frame);
}

Napi::Value Decompress(const Napi::CallbackInfo& info) {
  if (!RequireBytes(info, 0) || !RequireNumber(info, 1)) return {};
  const Napi::Env env = info.Env();
  const size_t size = info[1].As<Napi::Number>().Uint32Value();
  Napi::Uint8Array out = Napi::Uint8Array::New(env, size);
  if (out.IsEmpty()) return {};
  const bool is_exact = env.GetInstanceData<AddonState>()->zstd.Decompress(BytesArgument(info, 0),
                                                                           {out.Data(), size});
  if (!is_exact) return env.Undefined();
  return out;
}

}  // namespace

void ExportZstd(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "zstdCompress", Compress);
  ExportFunction(exports, "zstdDecompress", Decompress);
}

}  // namespace gdo
