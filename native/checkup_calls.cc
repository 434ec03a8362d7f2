#include "checkup_calls.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "pack_store.h"

namespace gdo {
namespace {

using EnginePointer = std::shared_ptr<StoreEngine>;
using CheckupPointer = std::shared_ptr<store::Checkup>;
using store::Outcome;

// What a step needs: `info` has its arguments from index 1 on.
struct Call {
  const EnginePointer& engine;
  CheckupPointer& checkup;
  const Napi::CallbackInfo& info;

  Napi::Env Env() const { return info.Env(); }
  uint64_t Number(size_t index) const {
    return static_cast<uint64_t>(info[index].As<Napi::Number>().Int64Value());
  }
  uint32_t Pack() const { return static_cast<uint32_t>(Number(1)); }
};

Napi::Value Begin(const Call& call) {
  call.checkup = std::make_shared<store::Checkup>(call.engine->objects);
  return call.Env().Undefined();
}

Napi::Value AddPack(const Call& call) {
  if (!RequireBytes(call.info, 2)) return {};
  call.checkup->Packs().AddPack(call.Pack(), store::DecodeRows(BytesArgument(call.info, 2)),
                                call.Number(3));
  return call.Env().Undefined();
}

Napi::Value AddRoots(const Call& call) {
  if (!RequireBytes(call.info, 1)) return {};
  const auto bytes = BytesArgument(call.info, 1);
  std::vector<store::ObjectId> ids;
  for (size_t at = 0; at + store::kIdBytes <= bytes.size(); at += store::kIdBytes) {
    ids.push_back(store::LoadId(bytes.data() + at));
  }
  call.checkup->AddRoots(ids);
  return call.Env().Undefined();
}

Napi::Value AddRootsIn(const Call& call) {
  if (!RequireBytes(call.info, 1)) return {};
  const auto held =
      std::make_shared<Napi::ObjectReference>(Napi::Persistent(call.info[1].As<Napi::Object>()));
  return RunTask(
      call.Env(),
      [checkup = call.checkup, bytes = BytesArgument(call.info, 1)]() -> Outcome {
        checkup->AddRootsIn(bytes);
        return std::nullopt;
      },
      [held](Napi::Env env) { return env.Undefined(); });
}

Napi::Value LackToValue(Napi::Env env, const store::Lack& lack) {
  Napi::Object value = Napi::Object::New(env);
  const Napi::Uint8Array id = CopyOut(env, lack.id);
  const Napi::Uint8Array root = CopyOut(env, lack.root);
  if (value.IsEmpty() || id.IsEmpty() || root.IsEmpty()) return {};
  value.Set("id", id);
  value.Set("root", root);
  value.Set("isDamaged", lack.is_damaged);
  value.Set("what", lack.what);
  return value;
}

Napi::Value PartToValue(Napi::Env env, const store::WalkPart& part) {
  Napi::Object value = Napi::Object::New(env);
  const Napi::Array lacks = Napi::Array::New(env, part.lacks.size());
  if (value.IsEmpty() || lacks.IsEmpty()) return {};
  for (size_t each = 0; each < part.lacks.size(); ++each) {
    const Napi::Value lack = LackToValue(env, part.lacks[each]);
    if (lack.IsEmpty()) return {};
    lacks.Set(static_cast<uint32_t>(each), lack);
  }
  value.Set("isDone", part.is_done);
  value.Set("readBytes", static_cast<double>(part.read_bytes));
  value.Set("lacks", lacks);
  return value;
}

Napi::Value Walk(const Call& call) {
  auto part = std::make_shared<store::WalkPart>();
  return RunTask(
      call.Env(),
      [checkup = call.checkup, objects_max = call.Number(1), part] {
        return checkup->Walk(objects_max, *part);
      },
      [part](Napi::Env env) { return PartToValue(env, *part); });
}

Napi::Value TallyToValue(Napi::Env env, const store::Tally& tally) {
  const size_t count = tally.sums.size() * 3 + tally.chunks_by_size.size();
  Napi::Float64Array numbers = Napi::Float64Array::New(env, count);
  if (numbers.IsEmpty()) return {};
  double* out = numbers.Data();
  for (const store::Tally::Sum& sum : tally.sums) {
    for (const uint64_t number : {sum.objects, sum.raw_bytes, sum.stored_bytes}) {
      *out++ = static_cast<double>(number);
    }
  }
  for (const uint64_t chunks : tally.chunks_by_size) *out++ = static_cast<double>(chunks);
  return numbers;
}

Napi::Value Count(const Call& call) {
  auto tally = std::make_shared<store::Tally>();
  return RunTask(
      call.Env(),
      [checkup = call.checkup, pack = call.Pack(), tally] { return checkup->Count(pack, *tally); },
      [tally](Napi::Env env) { return TallyToValue(env, *tally); });
}

struct RowsChecked {
  uint64_t counting = 0;
  std::vector<store::RowFault> faults;
};

Napi::Value RowsToValue(Napi::Env env, const RowsChecked& checked) {
  Napi::Object value = Napi::Object::New(env);
  const Napi::Array faults = Napi::Array::New(env, checked.faults.size());
  if (value.IsEmpty() || faults.IsEmpty()) return {};
  for (size_t each = 0; each < checked.faults.size(); ++each) {
    const store::RowFault& fault = checked.faults[each];
    Napi::Object item = Napi::Object::New(env);
    const Napi::Uint8Array id = CopyOut(env, fault.entry.id);
    if (item.IsEmpty() || id.IsEmpty()) return {};
    item.Set("id", id);
    item.Set("offset", fault.entry.offset);
    item.Set("what", fault.what);
    faults.Set(static_cast<uint32_t>(each), item);
  }
  value.Set("counting", static_cast<double>(checked.counting));
  value.Set("faults", faults);
  return value;
}

Napi::Value Rows(const Call& call) {
  if (!RequireBytes(call.info, 2)) return {};
  auto checked = std::make_shared<RowsChecked>();
  return RunTask(
      call.Env(),
      [engine = call.engine, pack = call.Pack(), end_bytes = call.Number(3), checked,
       rows = store::DecodeRows(BytesArgument(call.info, 2))]() -> Outcome {
        checked->counting =
            store::CheckRows(engine->objects, pack, rows, end_bytes, checked->faults);
        return std::nullopt;
      },
      [checked](Napi::Env env) { return RowsToValue(env, *checked); });
}

Napi::Value End(const Call& call) {
  call.checkup.reset();
  return call.Env().Undefined();
}

using Step = Napi::Value (*)(const Call&);

const std::unordered_map<std::string, Step>& Steps() {
  static const std::unordered_map<std::string, Step> steps = {
      {"begin", Begin}, {"pack", AddPack}, {"roots", AddRoots}, {"rootsIn", AddRootsIn},
      {"walk", Walk},   {"count", Count},  {"rows", Rows},      {"end", End},
  };
  return steps;
}

}  // namespace

Napi::Value CheckupCall(const EnginePointer& engine, CheckupPointer& checkup,
                        const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  const auto found = Steps().find(name);
  const bool needs_one = name != "begin" && name != "end" && name != "rows";
  if (found == Steps().end() || (needs_one && checkup == nullptr)) {
    ThrowTypeError(info.Env(), "no such step, or nothing is being looked after");
    return {};
  }
  return found->second(Call{engine, checkup, info});
}

}  // namespace gdo
