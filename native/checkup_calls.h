// The steps of looking after a pack store, for lib/store/verify/checkup.ts, in its order:
//   check("begin"), check("pack", pack, rows, endBytes)
//   check("roots", ids), check("rootsIn", bytes)
//   check("walk", objectsMax) -> promise of {isDone, readBytes, lacks: [{id, root, isDamaged,
//   what}]} check("count", pack) -> promise of a Float64Array: objects, raw and stored bytes of
//   nodes, raw, zstd and delta chunks; then chunks by powers of two check("rows", pack, rows,
//   endBytes) -> promise of {counting, faults: [{id, offset, what}]} check("end")
//
// Owner: bytes are borrowed until the promise settles [N3]. Threads: the libuv pool, one step at a
// time.
#pragma once

#include <napi.h>

#include <memory>

#include "store/checkup.h"
#include "store_engine.h"

namespace gdo {

Napi::Value CheckupCall(const std::shared_ptr<StoreEngine>& engine,
                        std::shared_ptr<store::Checkup>& checkup, const Napi::CallbackInfo& info);

}  // namespace gdo
