// Work on other threads that JavaScript waits for: promises by number, progress now and then.
// Owner: the pack store's JavaScript object. Threads: all on the JavaScript thread but Post.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/fault.h"

namespace gdo {

class StoreJobs {
 public:
  // What a job gives in the end; run on the JavaScript thread.
  using Result = std::function<Napi::Value(Napi::Env)>;
  using Abort = std::function<void()>;

  explicit StoreJobs(Napi::Env env) : env_(env), channel_(std::make_shared<Channel>()) {}
  ~StoreJobs() { Close(); }
  StoreJobs(const StoreJobs&) = delete;
  StoreJobs& operator=(const StoreJobs&) = delete;

  // A new job's number. `self` stays referenced until the job is done; `progress` may be undefined.
  uint32_t Begin(Napi::Object self, Napi::Value progress);
  Napi::Promise PromiseOf(uint32_t number) const;
  void SetWork(uint32_t number, Abort abort, Result result);
  void AbortJob(uint32_t number);

  // Tells of a job from any thread: how far it is, or that it is done, with what fault.
  void PostProgress(uint32_t number, double done_bytes);
  void PostDone(uint32_t number, store::Outcome outcome);

  // Forgets what nobody will be told any more.
  void Close();

 private:
  struct Job {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference self;
    Napi::FunctionReference progress;
    Abort abort;
    Result result;
  };
  struct Event {
    uint32_t number;
    bool is_done;
    double done_bytes;
    store::Outcome outcome;
  };

  // What outlives this object: Node.js lets go of the function later, or earlier when the
  // environment ends.
  struct Channel {
    std::mutex mutex;  // Guards the function against Post.
    napi_threadsafe_function function = nullptr;
    StoreJobs* owner = nullptr;  // The JavaScript thread's.
  };

  void Open();
  static void Finalize(napi_env env, void* data, void* context);
  static void Call(napi_env env, napi_value function, void* context, void* data);
  void Post(std::unique_ptr<Event> event);
  void Take(Napi::Env env, const Event& event);
  void End(Napi::Env env, uint32_t number, const store::Outcome& outcome);

  const Napi::Env env_;
  uint32_t last_ = 0;
  std::unordered_map<uint32_t, Job> jobs_;

  const std::shared_ptr<Channel> channel_;
};

}  // namespace gdo
