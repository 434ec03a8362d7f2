// class Chunker(profile): update(bytes) and finish() -> Promise<{bounds, ids}>, where bounds is a
// Float64Array of [offset, length, offset, length, ...] and ids holds 32 bytes for each cut.
//
// Owner: `bytes` is borrowed [N3]. A reference keeps it from the collector until the promise
// settles; lib/addon.ts refuses resizable and shared buffers, and its callers neither write nor
// transfer it meanwhile. The core object is shared with the call in flight, so that it outlives a
// wrapper that is collected, or an environment that is torn down, while the pool still works on it
// [N4]. Threads: Execute runs on the libuv pool and touches no Napi value; all else on the
// JavaScript thread. `is_busy` is only touched there: at most one call is in flight, so the core
// object is never used by two threads.
#include "core/chunker.h"

#include <algorithm>
#include <memory>
#include <string>

#include "addon.h"
#include "arguments.h"

namespace gdo {
namespace {

struct ChunkerState {
  explicit ChunkerState(const Profile& profile) : chunker(profile) {}

  Chunker chunker;
  bool is_busy = false;
};

// Empty when JavaScript can take no more objects: a worker is being terminated.
Napi::Object CutsToObject(Napi::Env env, const std::vector<Cut>& cuts) {
  Napi::Float64Array bounds = Napi::Float64Array::New(env, 2 * cuts.size());
  Napi::Uint8Array ids = Napi::Uint8Array::New(env, sizeof(Blake3::Digest) * cuts.size());
  if (bounds.IsEmpty() || ids.IsEmpty()) return {};
  for (size_t index = 0; index < cuts.size(); ++index) {
    bounds[2 * index] = static_cast<double>(cuts[index].offset);
    bounds[2 * index + 1] = static_cast<double>(cuts[index].length);
    std::copy(cuts[index].id.begin(), cuts[index].id.end(),
              ids.Data() + sizeof(Blake3::Digest) * index);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("bounds", bounds);
  object.Set("ids", ids);
  return object;
}

class ChunkWorker final : public Napi::AsyncWorker {
 public:
  // An update when `bytes` is an array, a finish when it is undefined.
  ChunkWorker(Napi::Env env, std::shared_ptr<ChunkerState> state, Napi::Value bytes)
      : Napi::AsyncWorker(env, "gdo.chunk"),
        deferred_(Napi::Promise::Deferred::New(env)),
        state_(std::move(state)),
        is_finish_(bytes.IsUndefined()) {
    if (is_finish_) return;
    const auto array = bytes.As<Napi::Uint8Array>();
    bytes_reference_ = Napi::Persistent(array);
    bytes_ = {array.Data(), array.ByteLength()};
  }

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override {
    if (is_finish_) {
      state_->chunker.Finish(cuts_);
    } else {
      state_->chunker.Update(bytes_, cuts_);
    }
  }

  void OnOK() override {
    state_->is_busy = false;
    const Napi::Object cuts = CutsToObject(Env(), cuts_);
    // Nobody is left to be told: the environment ends, and with it the promise.
    if (!cuts.IsEmpty()) deferred_.Resolve(cuts);
  }

  void OnError(const Napi::Error& error) override {
    state_->is_busy = false;
    deferred_.Reject(error.Value());
  }

 private:
  const Napi::Promise::Deferred deferred_;
  const std::shared_ptr<ChunkerState> state_;
  const bool is_finish_;
  Napi::Reference<Napi::Uint8Array> bytes_reference_;
  std::span<const uint8_t> bytes_;
  std::vector<Cut> cuts_;
};

class ChunkerWrap final : public Napi::ObjectWrap<ChunkerWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Chunker",
                       {InstanceMethod<&ChunkerWrap::Update>("update"),
                        InstanceMethod<&ChunkerWrap::Finish>("finish")});
  }

  explicit ChunkerWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ChunkerWrap>(info) {
    const std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    const Profile* const profile = FindProfile(name);
    if (profile == nullptr) {
      ThrowTypeError(info.Env(), "no such chunking profile");
      return;
    }
    state_ = std::make_shared<ChunkerState>(*profile);
  }

  Napi::Value Update(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    return Start(info.Env(), info[0]);
  }

  Napi::Value Finish(const Napi::CallbackInfo& info) {
    return Start(info.Env(), info.Env().Undefined());
  }

 private:
  Napi::Value Start(Napi::Env env, Napi::Value bytes) {
    if (state_->is_busy) {
      Napi::Error::New(env, "a chunker takes one call at a time").ThrowAsJavaScriptException();
      return {};
    }
    state_->is_busy = true;
    auto* const worker = new ChunkWorker(env, state_, bytes);  // Deletes itself when done.
    const Napi::Promise promise = worker->Promise();
    worker->Queue();
    return promise;
  }

  std::shared_ptr<ChunkerState> state_;
};

}  // namespace

void ExportChunker(Napi::Env env, Napi::Object exports) {
  exports.Set("Chunker", ChunkerWrap::Define(env));
}

}  // namespace gdo
