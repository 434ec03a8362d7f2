// How faults and asynchronous calls of the pack store become JavaScript's.
#pragma once

#include <napi.h>

#include <functional>

#include "store/fault.h"

namespace gdo {

// An Error with `fault` ("system", "corrupt", ...), a message and, of "system", `code`.
Napi::Value ErrorOf(Napi::Env env, const store::Fault& fault);

// Runs `task` on the libuv pool, then `result` on the JavaScript thread for what the promise gives.
// `result` may be empty: undefined, then. What they hold is let go of on the JavaScript thread.
Napi::Promise RunTask(Napi::Env env, std::function<store::Outcome()> task,
                      std::function<Napi::Value(Napi::Env)> result);

}  // namespace gdo
