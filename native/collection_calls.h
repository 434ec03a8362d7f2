// The steps of cleaning a pack store, for lib/store/collect/collection.ts, in its order:
//   collect("begin", isDry) -> promise of the last pack that is looked at
//   collect("pack", pack, rows, endBytes)
//   collect("name", ids, isAllNeeded), collect("nameAllIn", bytes), collect("nameYoung") ->
//   promises collect("condemn") collect("findLeaning") -> promise collect("uses") -> Float64Array,
//   four numbers a pack: number, records, live ones, their bytes collect("repack", pack, bytesMax)
//   -> promise of {writtenBytes, damaged, isDone} collect("beginPack") -> promise,
//   collect("abort"), collect("end")
//
// Owner: bytes are borrowed until the promise settles [N3]. Threads: the libuv pool, one step at a
// time, but for abort.
#pragma once

#include <napi.h>

#include <memory>

#include "store_engine.h"

namespace gdo {

Napi::Value CollectionCall(const std::shared_ptr<StoreEngine>& engine,
                           const Napi::CallbackInfo& info);

}  // namespace gdo
