#include <cstring>

#include "pack_store.h"

namespace gdo {
namespace {

const char* NameOf(store::Fault::Kind kind) {
  switch (kind) {
    case store::Fault::Kind::kSystem:
      return "system";
    case store::Fault::Kind::kCorrupt:
      return "corrupt";
    case store::Fault::Kind::kMissing:
      return "missing";
    case store::Fault::Kind::kInvalid:
      return "invalid";
    case store::Fault::Kind::kAborted:
      return "aborted";
    case store::Fault::Kind::kClosed:
      return "closed";
  }
  return "closed";
}

class TaskWorker final : public Napi::AsyncWorker {
 public:
  TaskWorker(Napi::Env env, std::function<store::Outcome()> task,
             std::function<Napi::Value(Napi::Env)> result)
      : Napi::AsyncWorker(env, "gdo.store"),
        deferred_(Napi::Promise::Deferred::New(env)),
        task_(std::move(task)),
        result_(std::move(result)) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override { outcome_ = task_(); }

  void OnOK() override {
    if (outcome_.has_value()) {
      const Napi::Value error = ErrorOf(Env(), *outcome_);
      if (!error.IsEmpty()) deferred_.Reject(error);
      return;
    }
    const Napi::Value value = result_ ? result_(Env()) : Env().Undefined();
    // Nobody is left to be told: the environment ends, and with it the promise.
    if (!value.IsEmpty()) deferred_.Resolve(value);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const Napi::Promise::Deferred deferred_;
  const std::function<store::Outcome()> task_;
  const std::function<Napi::Value(Napi::Env)> result_;
  store::Outcome outcome_;
};

}  // namespace

Napi::Value ErrorOf(Napi::Env env, const store::Fault& fault) {
  const Napi::Error error = Napi::Error::New(env, fault.what);
  if (error.IsEmpty()) return {};
  Napi::Object object = error.Value();
  object.Set("fault", NameOf(fault.kind));
  if (fault.kind == store::Fault::Kind::kSystem) {
    object.Set("code", Napi::String::New(env, strerrorname_np(fault.error_number)));
  }
  return object;
}

Napi::Promise RunTask(Napi::Env env, std::function<store::Outcome()> task,
                      std::function<Napi::Value(Napi::Env)> result) {
  auto* const worker = new TaskWorker(env, std::move(task), std::move(result));  // Deletes itself.
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

}  // namespace gdo
