#include "collection_calls.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "pack_store.h"

namespace gdo {
namespace {

using EnginePointer = std::shared_ptr<StoreEngine>;
using CollectionPointer = std::shared_ptr<store::Collection>;
using store::Outcome;

// What a step needs: `info` has its arguments from index 1 on.
struct Call {
  const EnginePointer& engine;
  const CollectionPointer collection;
  const Napi::CallbackInfo& info;

  Napi::Env Env() const { return info.Env(); }
  uint64_t Number(size_t index) const {
    return static_cast<uint64_t>(info[index].As<Napi::Number>().Int64Value());
  }
};

// A step on the pool, while the bytes that it borrows, if any, are held.
Napi::Value Run(const Call& call, std::function<Outcome()> task, Napi::Value borrowed = {}) {
  std::shared_ptr<Napi::ObjectReference> held;
  if (!borrowed.IsEmpty()) {
    held = std::make_shared<Napi::ObjectReference>(Napi::Persistent(borrowed.As<Napi::Object>()));
  }
  return RunTask(call.Env(), std::move(task), [held](Napi::Env env) { return env.Undefined(); });
}

Napi::Value Begin(const Call& call) {
  auto last_pack = std::make_shared<uint32_t>(0);
  return RunTask(
      call.Env(),
      [engine = call.engine, is_dry = call.info[1].ToBoolean().Value(), last_pack] {
        return engine->objects.BeginCollection(is_dry, *last_pack);
      },
      [last_pack](Napi::Env env) { return Napi::Number::New(env, *last_pack); });
}

Napi::Value AddPack(const Call& call) {
  if (!RequireBytes(call.info, 2)) return {};
  call.collection->Packs().AddPack(static_cast<uint32_t>(call.Number(1)),
                                   store::DecodeRows(BytesArgument(call.info, 2)), call.Number(3));
  return call.Env().Undefined();
}

Napi::Value Name(const Call& call) {
  if (!RequireBytes(call.info, 1)) return {};
  const auto bytes = BytesArgument(call.info, 1);
  std::vector<store::ObjectId> ids;
  for (size_t at = 0; at + store::kIdBytes <= bytes.size(); at += store::kIdBytes) {
    ids.push_back(store::LoadId(bytes.data() + at));
  }
  const bool is_all_needed = call.info[2].ToBoolean().Value();
  return Run(call, [collection = call.collection, ids = std::move(ids), is_all_needed] {
    return collection->Name(ids, is_all_needed);
  });
}

Napi::Value NameAllIn(const Call& call) {
  if (!RequireBytes(call.info, 1)) return {};
  return Run(
      call,
      [collection = call.collection, bytes = BytesArgument(call.info, 1)] {
        return collection->NameAllIn(bytes);
      },
      call.info[1]);
}

Napi::Value NameYoung(const Call& call) {
  return Run(call, [collection = call.collection] { return collection->NameYoung(); });
}

Napi::Value Condemn(const Call& call) {
  call.collection->Condemn();
  return call.Env().Undefined();
}

Napi::Value FindLeaning(const Call& call) {
  return Run(call, [collection = call.collection] { return collection->FindLeaning(); });
}

Napi::Value Uses(const Call& call) {
  const auto uses = call.collection->Packs().Uses();
  Napi::Float64Array numbers = Napi::Float64Array::New(call.Env(), uses.size() * 4);
  if (numbers.IsEmpty()) return {};
  double* out = numbers.Data();
  for (const auto& use : uses) {
    for (const uint64_t number :
         {uint64_t{use.pack}, use.records, use.live_records, use.live_bytes})
      *out++ = static_cast<double>(number);
  }
  return numbers;
}

Napi::Value Repack(const Call& call) {
  const auto pack = static_cast<uint32_t>(call.Number(1));
  auto moved = std::make_shared<store::Moved>();
  return RunTask(
      call.Env(),
      [collection = call.collection, pack, bytes_max = call.Number(2), moved] {
        return collection->Repack(pack, bytes_max, *moved);
      },
      [moved](Napi::Env env) {
        Napi::Object result = Napi::Object::New(env);
        if (result.IsEmpty()) return Napi::Value();
        result.Set("writtenBytes", static_cast<double>(moved->written_bytes));
        result.Set("damaged", static_cast<double>(moved->damaged));
        result.Set("isDone", moved->is_done);
        return Napi::Value(result);
      });
}

Napi::Value BeginPack(const Call& call) {
  return Run(call, [engine = call.engine] { return engine->objects.BeginPack(); });
}

Napi::Value Abort(const Call& call) {
  call.collection->is_aborted = true;
  return call.Env().Undefined();
}

Napi::Value End(const Call& call) {
  call.engine->objects.EndCollection();
  return call.Env().Undefined();
}

using Step = Napi::Value (*)(const Call&);

const std::unordered_map<std::string, Step>& Steps() {
  static const std::unordered_map<std::string, Step> steps = {
      {"begin", Begin},
      {"pack", AddPack},
      {"name", Name},
      {"nameAllIn", NameAllIn},
      {"nameYoung", NameYoung},
      {"condemn", Condemn},
      {"findLeaning", FindLeaning},
      {"uses", Uses},
      {"repack", Repack},
      {"beginPack", BeginPack},
      {"abort", Abort},
      {"end", End},
  };
  return steps;
}

}  // namespace

Napi::Value CollectionCall(const EnginePointer& engine, const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  const auto found = Steps().find(name);
  const Call call{engine, engine->objects.Collecting(), info};
  if (found == Steps().end() || (call.collection == nullptr && name != "begin" && name != "end")) {
    ThrowTypeError(info.Env(), "no such step, or nothing is being cleaned");
    return {};
  }
  return found->second(call);
}

}  // namespace gdo
