// class PackStore(folder, packBytesMax): the objects of one store, for lib/store/pack/store.ts,
// which opens it, recovers and locks. Ids are 32 bytes, footers' rows 40 [T7].
//   loadIndex(isWriter) -> promise of pack numbers, sealPack(pack, bytes) -> promise
//   addEntries(pack, rows), setLastPack(pack, endBytes, markedBytes, rows), dropPacks(packs)
//   has(id), isAt(id, pack, offset), count(), ids(from) -> ids, verifyIndex() -> promise of faults
//   put(kind, id, bytes), get(id), openRecord(record, id), commit(), finish() -> promises
//   collect(step, ...), check(step, ...): collection_calls.h and checkup_calls.h have the steps
//   putFile(fd, bytesMax, profile, progress, previous), restoreFile(id, fd, progress) -> {number,
//   promise} abort(number), close()
//
// Owner: bytes are borrowed until the promise settles [N3]; a descriptor stays the caller's and
// open until then. The engine is shared with the calls in flight. Threads: short look-ups on the
// JavaScript thread, put and get on the libuv pool, files on the engine's own [N4].
#include "pack_store.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "checkup_calls.h"
#include "collection_calls.h"
#include "core/profile.h"
#include "store_engine.h"
#include "store_jobs.h"

namespace gdo {
namespace {

using store::ObjectId;
using store::ObjectKind;
using store::Outcome;

constexpr size_t kIdsAtOnce = 8192;
constexpr std::chrono::milliseconds kProgressInterval(100);

ObjectId IdArgument(const Napi::CallbackInfo& info, size_t index) {
  return store::LoadId(BytesArgument(info, index).data());
}

uint32_t NumberArgument(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Uint32Value();
}

std::vector<store::FooterEntry> EntriesArgument(const Napi::CallbackInfo& info, size_t index) {
  return store::DecodeRows(BytesArgument(info, index));
}

// Lets through one report in each interval.
class Pace {
 public:
  bool IsTime() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < kProgressInterval) return false;
    last_ = now;
    return true;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Napi::Value ObjectToValue(Napi::Env env, const store::Object& object) {
  const Napi::Uint8Array bytes = CopyOut(env, object.bytes);
  Napi::Object result = Napi::Object::New(env);
  if (bytes.IsEmpty() || result.IsEmpty()) return {};
  result.Set("kind", static_cast<uint32_t>(object.kind));
  result.Set("bytes", bytes);
  return result;
}

Napi::Value IngestToValue(Napi::Env env, const store::IngestJob& job) {
  const Napi::Uint8Array id = CopyOut(env, job.root);
  Napi::Object result = Napi::Object::New(env);
  if (id.IsEmpty() || result.IsEmpty()) return {};
  const auto set = [&result](const char* name, uint64_t value) {
    result.Set(name, static_cast<double>(value));
  };
  result.Set("id", id);
  set("sizeBytes", job.counts.read_bytes);
  set("newChunks", job.counts.new_chunks);
  set("newBytes", job.counts.new_bytes);
  set("storedBytes", job.counts.stored_bytes);
  return result;
}

Napi::Value NumbersToValue(Napi::Env env, const std::vector<uint32_t>& numbers) {
  Napi::Uint32Array array = Napi::Uint32Array::New(env, numbers.size());
  if (array.IsEmpty()) return {};
  std::copy(numbers.begin(), numbers.end(), array.Data());
  return array;
}

Napi::Value FaultsToValue(Napi::Env env, const std::vector<store::IndexFault>& faults) {
  Napi::Array array = Napi::Array::New(env, faults.size());
  if (array.IsEmpty()) return {};
  for (uint32_t at = 0; at < faults.size(); ++at) {
    Napi::Object fault = Napi::Object::New(env);
    fault.Set("file", faults[at].file);
    fault.Set("offset", static_cast<double>(faults[at].offset));
    fault.Set("what", faults[at].what);
    array.Set(at, fault);
  }
  return array;
}

class PackStoreWrap final : public Napi::ObjectWrap<PackStoreWrap> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "PackStore",
                       {
                           InstanceMethod<&PackStoreWrap::LoadIndex>("loadIndex"),
                           InstanceMethod<&PackStoreWrap::SealPack>("sealPack"),
                           InstanceMethod<&PackStoreWrap::VerifyIndex>("verifyIndex"),
                           InstanceMethod<&PackStoreWrap::AddEntries>("addEntries"),
                           InstanceMethod<&PackStoreWrap::SetLastPack>("setLastPack"),
                           InstanceMethod<&PackStoreWrap::DropPacks>("dropPacks"),
                           InstanceMethod<&PackStoreWrap::Has>("has"),
                           InstanceMethod<&PackStoreWrap::IsAt>("isAt"),
                           InstanceMethod<&PackStoreWrap::Count>("count"),
                           InstanceMethod<&PackStoreWrap::Ids>("ids"),
                           InstanceMethod<&PackStoreWrap::Put>("put"),
                           InstanceMethod<&PackStoreWrap::Get>("get"),
                           InstanceMethod<&PackStoreWrap::OpenRecord>("openRecord"),
                           InstanceMethod<&PackStoreWrap::Commit>("commit"),
                           InstanceMethod<&PackStoreWrap::Finish>("finish"),
                           InstanceMethod<&PackStoreWrap::PutFile>("putFile"),
                           InstanceMethod<&PackStoreWrap::RestoreFile>("restoreFile"),
                           InstanceMethod<&PackStoreWrap::Collect>("collect"),
                           InstanceMethod<&PackStoreWrap::Check>("check"),
                           InstanceMethod<&PackStoreWrap::Abort>("abort"),
                           InstanceMethod<&PackStoreWrap::Close>("close"),
                       });
  }

  explicit PackStoreWrap(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<PackStoreWrap>(info), jobs_(info.Env()), env_(info.Env()) {
    if (!info[0].IsString() || !info[1].IsNumber()) {
      ThrowTypeError(info.Env(), "expected a folder and a size");
      return;
    }
    engine_ = std::make_shared<StoreEngine>(info[0].As<Napi::String>().Utf8Value(),
                                            NumberArgument(info, 1));
    napi_add_env_cleanup_hook(env_, StopAll, this);
  }

  ~PackStoreWrap() override {
    if (engine_ == nullptr) return;
    napi_remove_env_cleanup_hook(env_, StopAll, this);
    engine_->Stop();
  }

 private:
  // Before the environment ends: no thread may tell it anything after.
  static void StopAll(void* self) { static_cast<PackStoreWrap*>(self)->engine_->Stop(); }

  Napi::Value LoadIndex(const Napi::CallbackInfo& info) {
    auto covered = std::make_shared<std::vector<uint32_t>>();
    return RunTask(
        info.Env(),
        [engine = engine_, is_writer = info[0].ToBoolean().Value(), covered]() -> Outcome {
          *covered = engine->objects.LoadIndex(is_writer);
          return std::nullopt;
        },
        [covered](Napi::Env env) { return NumbersToValue(env, *covered); });
  }

  // What is not written of the index is read from the footers when the store is opened next.
  Napi::Value SealPack(const Napi::CallbackInfo& info) {
    const uint32_t pack = NumberArgument(info, 0);
    const auto bytes = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
    return RunTask(info.Env(),
                   [engine = engine_, pack, bytes]() -> Outcome {
                     static_cast<void>(engine->objects.Seal(pack, bytes));
                     return std::nullopt;
                   },
                   {});
  }

  Napi::Value VerifyIndex(const Napi::CallbackInfo& info) {
    auto faults = std::make_shared<std::vector<store::IndexFault>>();
    return RunTask(
        info.Env(),
        [engine = engine_, faults]() -> Outcome {
          *faults = engine->objects.Entries().Verify();
          return std::nullopt;
        },
        [faults](Napi::Env env) { return FaultsToValue(env, *faults); });
  }

  Napi::Value AddEntries(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 1)) return {};
    engine_->objects.AddEntries(NumberArgument(info, 0), EntriesArgument(info, 1));
    return info.Env().Undefined();
  }

  // endBytes undefined: the pack is not to be continued.
  Napi::Value SetLastPack(const Napi::CallbackInfo& info) {
    std::unique_ptr<store::PackState> state;
    const uint32_t pack = NumberArgument(info, 0);
    if (!info[1].IsUndefined()) {
      if (!RequireBytes(info, 3)) return {};
      state = std::make_unique<store::PackState>(store::PackState{
          pack, EntriesArgument(info, 3), NumberArgument(info, 1), NumberArgument(info, 2)});
    }
    engine_->objects.SetLastPack(pack, std::move(state));
    return info.Env().Undefined();
  }

  Napi::Value DropPacks(const Napi::CallbackInfo& info) {
    const Napi::Array numbers = info[0].As<Napi::Array>();
    std::vector<uint32_t> packs(numbers.Length());
    for (uint32_t each = 0; each < packs.size(); ++each) {
      packs[each] = numbers.Get(each).As<Napi::Number>().Uint32Value();
    }
    engine_->objects.DropPacks(packs);
    return info.Env().Undefined();
  }

  Napi::Value Has(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    return Napi::Boolean::New(info.Env(), engine_->objects.Has(IdArgument(info, 0)));
  }

  Napi::Value IsAt(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const auto place = engine_->objects.Entries().Find(IdArgument(info, 0));
    const bool is_at = place.has_value() && place->pack == NumberArgument(info, 1) &&
                       place->offset == NumberArgument(info, 2);
    return Napi::Boolean::New(info.Env(), is_at);
  }

  Napi::Value Count(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(engine_->objects.Entries().Count()));
  }

  Napi::Value Ids(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const std::vector<ObjectId> ids =
        engine_->objects.Entries().Ids(IdArgument(info, 0), kIdsAtOnce);
    const auto* const bytes = reinterpret_cast<const uint8_t*>(ids.data());
    return CopyOut(info.Env(), {bytes, ids.size() * store::kIdBytes});
  }

  Napi::Value Put(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 1) || !RequireBytes(info, 2)) return {};
    const auto kind = static_cast<ObjectKind>(NumberArgument(info, 0));
    return RunTask(
        info.Env(),
        [engine = engine_, kind, id = IdArgument(info, 1), bytes = BytesArgument(info, 2)] {
          return engine->objects.Put(kind, id, bytes);
        },
        Holding(info[2]));
  }

  Napi::Value Get(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    auto object = std::make_shared<store::Object>();
    return RunTask(
        info.Env(),
        [engine = engine_, id = IdArgument(info, 0), object] {
          return engine->objects.Get(id, *object);
        },
        [object](Napi::Env env) { return ObjectToValue(env, *object); });
  }

  Napi::Value OpenRecord(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0) || !RequireBytes(info, 1)) return {};
    return RunTask(
        info.Env(),
        [engine = engine_, record = BytesArgument(info, 0), id = IdArgument(info, 1)] {
          store::Object object;
          return engine->objects.OpenRecord(record, id, object);
        },
        Holding(info[0]));
  }

  Napi::Value Commit(const Napi::CallbackInfo& info) {
    return RunTask(info.Env(), [engine = engine_] { return engine->objects.Commit(); }, {});
  }

  Napi::Value Finish(const Napi::CallbackInfo& info) {
    return RunTask(info.Env(), [engine = engine_] { return engine->objects.Finish(); }, {});
  }

  Napi::Value PutFile(const Napi::CallbackInfo& info) {
    const Profile* const profile = FindProfile(info[2].As<Napi::String>().Utf8Value());
    store::Ingest* const ingest = engine_->Ingesting();
    if (profile == nullptr || ingest == nullptr) return Refuse(info.Env());
    const uint32_t number = jobs_.Begin(info.This().As<Napi::Object>(), info[3]);
    const auto bytes_max = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
    const int fd = info[0].As<Napi::Number>().Int32Value();
    const auto job = ingest->MakeJob(fd, bytes_max, *profile);
    if (!info[4].IsUndefined()) job->previous = IdArgument(info, 4);
    jobs_.SetWork(
        number, [job] { job->is_aborted = true; },
        [job](Napi::Env env) { return IngestToValue(env, *job); });
    job->on_progress = [this, number, pace = Pace()](const store::IngestCounts& counts) mutable {
      if (pace.IsTime()) jobs_.PostProgress(number, static_cast<double>(counts.read_bytes));
    };
    // Not a pointer that owns: the job would own itself.
    job->on_done = [this, number, raw = job.get()] { jobs_.PostDone(number, raw->fault); };
    ingest->Start(job);
    return Started(info.Env(), number);
  }

  Napi::Value RestoreFile(const Napi::CallbackInfo& info) {
    if (!RequireBytes(info, 0)) return {};
    const int fd = info[1].As<Napi::Number>().Int32Value();
    const auto job = std::make_shared<store::RestoreJob>(engine_->objects, IdArgument(info, 0), fd);
    const uint32_t number = jobs_.Begin(info.This().As<Napi::Object>(), info[2]);
    jobs_.SetWork(
        number, [job] { job->is_aborted = true; },
        [job](Napi::Env env) {
          return Napi::Number::New(env, static_cast<double>(job->Length()));
        });
    job->on_progress = [this, number, pace = Pace()](uint64_t written) mutable {
      if (pace.IsTime()) jobs_.PostProgress(number, static_cast<double>(written));
    };
    const bool is_started = engine_->StartRestore(
        job, [this, number, raw = job.get()] { jobs_.PostDone(number, raw->Failure()); });
    const Napi::Value started = Started(info.Env(), number);
    if (!is_started) {
      jobs_.PostDone(number, store::Fault{store::Fault::Kind::kClosed, 0, "the store is closed"});
    }
    return started;
  }

  Napi::Value Collect(const Napi::CallbackInfo& info) { return CollectionCall(engine_, info); }

  Napi::Value Check(const Napi::CallbackInfo& info) { return CheckupCall(engine_, checkup_, info); }

  Napi::Value Abort(const Napi::CallbackInfo& info) {
    jobs_.AbortJob(NumberArgument(info, 0));
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    engine_->Stop();
    return info.Env().Undefined();
  }

  static Napi::Value Refuse(Napi::Env env) {
    ThrowTypeError(env, "no such chunking profile, or the store is closed");
    return {};
  }

  Napi::Value Started(Napi::Env env, uint32_t number) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("number", number);
    result.Set("promise", jobs_.PromiseOf(number));
    return result;
  }

  // Keeps borrowed bytes from the collector until the call is done [N3].
  static std::function<Napi::Value(Napi::Env)> Holding(Napi::Value value) {
    auto held = std::make_shared<Napi::ObjectReference>(Napi::Persistent(value.As<Napi::Object>()));
    return [held](Napi::Env env) { return env.Undefined(); };
  }

  StoreJobs jobs_;
  std::shared_ptr<StoreEngine> engine_;
  std::shared_ptr<store::Checkup> checkup_;
  const Napi::Env env_;
};

}  // namespace

void ExportPackStore(Napi::Env env, Napi::Object exports) {
  exports.Set("PackStore", PackStoreWrap::Define(env));
}

}  // namespace gdo
