// class ZstdStream: step(bytes) -> {output, usedBytes, hasMore, isWhole}, or undefined when the
// bytes are no zstd. Owner: `bytes` is borrowed for the call; the output is a new array.
// Threads: runs on the JavaScript thread.
#include "core/zstd_stream.h"

#include <optional>
#include <vector>

#include "addon.h"
#include "arguments.h"

namespace gdo {
namespace {

constexpr size_t kStepBytes = size_t{128} * 1024;

class ZstdStreamWrap final : public Napi::ObjectWrap<ZstdStreamWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "ZstdStream", {InstanceMethod<&ZstdStreamWrap::Step>("step")});
  }

  explicit ZstdStreamWrap(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<ZstdStreamWrap>(info) {}

  Napi::Value Step(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const Napi::Env env = info.Env();
    const std::optional<ZstdStream::Step> step = stream_.Advance(BytesArgument(info, 0), out_);
    if (!step.has_value()) return env.Undefined();
    const Napi::Uint8Array output =
        CopyOut(env, std::span<const uint8_t>(out_).first(step->written_bytes));
    if (output.IsEmpty()) return {};
    Napi::Object object = Napi::Object::New(env);
    object.Set("output", output);
    object.Set("usedBytes", static_cast<double>(step->used_bytes));
    object.Set("hasMore", step->written_bytes == out_.size());
    object.Set("isWhole", step->is_whole);
    return object;
  }

 private:
  ZstdStream stream_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kStepBytes);
};

}  // namespace

void ExportZstdStream(Napi::Env env, Napi::Object exports) {
  exports.Set("ZstdStream", ZstdStreamWrap::Define(env));
}

}  // namespace gdo
