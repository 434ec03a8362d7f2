#include "store_jobs.h"

#include "pack_store.h"

namespace gdo {

uint32_t StoreJobs::Begin(Napi::Object self, Napi::Value progress) {
  if (channel_->function == nullptr) {
    Open();
  } else if (jobs_.empty()) {
    napi_ref_threadsafe_function(env_, channel_->function);  // The process waits for its jobs.
  }
  Job job{Napi::Promise::Deferred::New(env_), Napi::Persistent(self), {}, {}, {}};
  if (progress.IsFunction()) job.progress = Napi::Persistent(progress.As<Napi::Function>());
  jobs_.emplace(++last_, std::move(job));
  return last_;
}

void StoreJobs::Open() {
  const Napi::String name = Napi::String::New(env_, "gdo.store.jobs");
  auto held = std::make_unique<std::shared_ptr<Channel>>(channel_);
  napi_threadsafe_function function = nullptr;
  const napi_status status = napi_create_threadsafe_function(
      env_, nullptr, nullptr, name, 0, 1, held.get(), Finalize, channel_.get(), Call, &function);
  if (status != napi_ok) return;
  held.release();  // NOLINT(bugprone-unused-return-value): Finalize owns it now.
  channel_->owner = this;
  const std::lock_guard lock(channel_->mutex);
  channel_->function = function;
}

void StoreJobs::Finalize(napi_env /*env*/, void* data, void* /*context*/) {
  const std::unique_ptr<std::shared_ptr<Channel>> held(
      static_cast<std::shared_ptr<Channel>*>(data));
  const std::lock_guard lock((*held)->mutex);
  (*held)->function = nullptr;
}

Napi::Promise StoreJobs::PromiseOf(uint32_t number) const {
  return jobs_.at(number).deferred.Promise();
}

void StoreJobs::SetWork(uint32_t number, Abort abort, Result result) {
  Job& job = jobs_.at(number);
  job.abort = std::move(abort);
  job.result = std::move(result);
}

void StoreJobs::AbortJob(uint32_t number) {
  const auto found = jobs_.find(number);
  if (found != jobs_.end() && found->second.abort) found->second.abort();
}

void StoreJobs::PostProgress(uint32_t number, double done_bytes) {
  Post(std::make_unique<Event>(Event{number, false, done_bytes, {}}));
}

void StoreJobs::PostDone(uint32_t number, store::Outcome outcome) {
  Post(std::make_unique<Event>(Event{number, true, 0, std::move(outcome)}));
}

void StoreJobs::Close() {
  jobs_.clear();
  channel_->owner = nullptr;
  const std::lock_guard lock(channel_->mutex);
  if (channel_->function == nullptr) return;
  napi_release_threadsafe_function(channel_->function, napi_tsfn_abort);
  channel_->function = nullptr;
}

void StoreJobs::Call(napi_env env, napi_value /*function*/, void* context, void* data) {
  const std::unique_ptr<Event> event(static_cast<Event*>(data));
  auto* const owner = static_cast<Channel*>(context)->owner;
  if (env == nullptr || owner == nullptr) return;  // The environment, or the store, ends.
  const Napi::Env js(env);
  const Napi::HandleScope scope(js);
  owner->Take(js, *event);
}

void StoreJobs::Post(std::unique_ptr<Event> event) {
  const std::lock_guard lock(channel_->mutex);
  if (channel_->function == nullptr) return;
  const napi_status status =
      napi_call_threadsafe_function(channel_->function, event.get(), napi_tsfn_nonblocking);
  if (status == napi_ok) {
    event.release();  // NOLINT(bugprone-unused-return-value): Call owns it now.
  } else {
    channel_->function = nullptr;  // It is closing, and may be gone after this call.
  }
}

void StoreJobs::Take(Napi::Env env, const Event& event) {
  const auto found = jobs_.find(event.number);
  if (found == jobs_.end()) return;
  if (event.is_done) return End(env, event.number, event.outcome);
  if (found->second.progress.IsEmpty()) return;
  found->second.progress.Call({Napi::Number::New(env, event.done_bytes)});
}

void StoreJobs::End(Napi::Env env, uint32_t number, const store::Outcome& outcome) {
  Job job = std::move(jobs_.at(number));
  jobs_.erase(number);
  if (jobs_.empty()) napi_unref_threadsafe_function(env, channel_->function);
  const Napi::Value value = outcome.has_value() ? ErrorOf(env, *outcome) : job.result(env);
  if (value.IsEmpty()) return;
  if (outcome.has_value()) {
    job.deferred.Reject(value);
  } else {
    job.deferred.Resolve(value);
  }
}

}  // namespace gdo
