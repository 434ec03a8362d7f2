// readPackItems(path, from) -> promise of {rows, endBytes, markedBytes}: store/pack_items.h.
// Threads: reads on the libuv pool. Owner: the rows are JavaScript's.
#include "store/pack_items.h"

#include <memory>

#include "addon.h"
#include "arguments.h"
#include "pack_store.h"

namespace gdo {
namespace {

Napi::Value ItemsToValue(Napi::Env env, const store::PackItems& items) {
  const Napi::Uint8Array rows = CopyOut(env, items.rows);
  Napi::Object result = Napi::Object::New(env);
  if (rows.IsEmpty() || result.IsEmpty()) return {};
  result.Set("rows", rows);
  result.Set("endBytes", static_cast<double>(items.end_bytes));
  result.Set("markedBytes", static_cast<double>(items.marked_bytes));
  return result;
}

Napi::Value ReadPackItems(const Napi::CallbackInfo& info) {
  auto items = std::make_shared<store::PackItems>();
  return RunTask(
      info.Env(),
      [path = info[0].As<Napi::String>().Utf8Value(),
       from = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()),
       items] { return store::ReadItems(path, from, *items); },
      [items](Napi::Env env) { return ItemsToValue(env, *items); });
}

}  // namespace

void ExportPackItems(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "readPackItems", ReadPackItems);
}

}  // namespace gdo
