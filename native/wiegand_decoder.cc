// class WiegandDecoder: edge(line, timestampNs), deadlineNs(), poll(nowNs). Times are BigInt
// nanoseconds of one monotonic clock. A frame is {bits, lastEdgeNs, fault}.
// Threads: runs on the JavaScript thread.
#include <array>
#include <optional>
#include <string>

#include "addon.h"
#include "arguments.h"
#include "core/wiegand.h"

namespace gdo {
namespace {

const char* FaultName(WiegandFault fault) {
  switch (fault) {
    case WiegandFault::kNone:
      return "none";
    case WiegandFault::kShortInterval:
      return "short_interval";
    case WiegandFault::kOverrun:
      return "overrun";
  }
  return "none";
}

std::string BitsText(const WiegandFrame& frame) {
  std::string text(frame.bit_count, '0');
  for (uint32_t bit = 0; bit < frame.bit_count; ++bit) {
    if (((frame.bits >> (frame.bit_count - 1 - bit)) & 1) != 0) text[bit] = '1';
  }
  return text;
}

Napi::Value FrameToValue(Napi::Env env, const std::optional<WiegandFrame>& frame) {
  if (!frame.has_value()) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  object.Set("bits", BitsText(*frame));
  object.Set("lastEdgeNs", Napi::BigInt::New(env, frame->last_edge_ns));
  object.Set("fault", FaultName(frame->fault));
  return object;
}

// Empty, with a TypeError pending, when the argument is not a BigInt.
std::optional<uint64_t> NanosecondsArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsBigInt()) {
    ThrowTypeError(info.Env(), "expected a time in nanoseconds as a BigInt");
    return std::nullopt;
  }
  bool is_lossless = false;
  return info[index].As<Napi::BigInt>().Uint64Value(&is_lossless);
}

class WiegandDecoderWrap final : public Napi::ObjectWrap<WiegandDecoderWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "WiegandDecoder",
                       {InstanceMethod<&WiegandDecoderWrap::Edge>("edge"),
                        InstanceMethod<&WiegandDecoderWrap::DeadlineNs>("deadlineNs"),
                        InstanceMethod<&WiegandDecoderWrap::Poll>("poll")});
  }

  explicit WiegandDecoderWrap(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<WiegandDecoderWrap>(info) {}

  Napi::Value Edge(const Napi::CallbackInfo& info) {
    if (!info[0].IsNumber()) {
      ThrowTypeError(info.Env(), "expected a line number");
      return {};
    }
    const std::optional<uint64_t> timestamp_ns = NanosecondsArgument(info, 1);
    if (!timestamp_ns.has_value()) return {};
    const bool is_one = info[0].As<Napi::Number>().Int32Value() == 1;
    return FrameToValue(info.Env(), decoder_.Edge(is_one, *timestamp_ns));
  }

  Napi::Value DeadlineNs(const Napi::CallbackInfo& info) {
    const std::optional<uint64_t> deadline_ns = decoder_.DeadlineNs();
    if (!deadline_ns.has_value()) return info.Env().Undefined();
    return Napi::BigInt::New(info.Env(), *deadline_ns);
  }

  Napi::Value Poll(const Napi::CallbackInfo& info) {
    const std::optional<uint64_t> now_ns = NanosecondsArgument(info, 0);
    if (!now_ns.has_value()) return {};
    return FrameToValue(info.Env(), decoder_.Poll(*now_ns));
  }

 private:
  WiegandDecoder decoder_;
};

}  // namespace

void ExportWiegandDecoder(Napi::Env env, Napi::Object exports) {
  exports.Set("WiegandDecoder", WiegandDecoderWrap::Define(env));
}

}  // namespace gdo
