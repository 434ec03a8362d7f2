#include "addon.h"

#include <malloc.h>

#include "core/kernel.h"

namespace {

// Refuses to load where GDO_KERNEL asks for what is not there: nobody should measure another kernel
// than the one they named.
bool CheckKernel(Napi::Env env) {
  const std::string& fault = gdo::ActiveKernelChoice().fault;
  if (fault.empty()) return true;
  Napi::Error error = Napi::Error::New(env, fault);
  error.Set("code", Napi::String::New(env, "GDO_KERNEL"));
  error.ThrowAsJavaScriptException();
  return false;
}

// The threads of a store come and go, and what each frees in an arena of its own none of the others
// can use: 10 MB where each has one.
constexpr int kArenasMax = 2;

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!CheckKernel(env)) return exports;
  mallopt(M_ARENA_MAX, kArenasMax);  // NOLINT(concurrency-mt-unsafe): it takes the arenas' lock.
  env.SetInstanceData(new gdo::AddonState());  // Freed by Node-API with the environment.
  gdo::ExportBlake3(env, exports);
  gdo::ExportChunker(env, exports);
  gdo::ExportCrc32c(env, exports);
  gdo::ExportEd25519(env, exports);
  gdo::ExportFileSystem(env, exports);
  gdo::ExportFileSystemXattrs(env, exports);
  gdo::ExportHostInfo(env, exports);
  gdo::ExportPackItems(env, exports);
  gdo::ExportPackStore(env, exports);
  gdo::ExportWiegandDecoder(env, exports);
  gdo::ExportZstd(env, exports);
  gdo::ExportZstdStream(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(gdo, Init)
