// hostInfo() -> {kernels, versions}: what this machine runs, for bug reports and benchmarks.
#include <napi.h>

#include "addon.h"
#include "arguments.h"
#include "core/crc32c.h"
#include "core/kernel.h"

namespace gdo {
namespace {

Napi::Array PresentKernels(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env);
  for (const Kernel* const kernel : Kernels()) {
    if (kernel->is_present()) names.Set(names.Length(), TextOf(env, kernel->name));
  }
  return names;
}

Napi::Value HostInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object kernels = Napi::Object::New(env);
  kernels.Set("blake3", TextOf(env, ActiveKernel().name));
  kernels.Set("chunker", TextOf(env, ActiveKernel().name));
  kernels.Set("crc32c", TextOf(env, Crc32cKernelName()));
  kernels.Set("present", PresentKernels(env));
  Napi::Object versions = Napi::Object::New(env);
  versions.Set("nodeApi", Napi::Number::New(env, NAPI_VERSION));
  versions.Set("zstd", TextOf(env, ZstdCodec::LibraryVersion()));
  Napi::Object host = Napi::Object::New(env);
  host.Set("kernels", kernels);
  host.Set("versions", versions);
  return host;
}

}  // namespace

void ExportHostInfo(Napi::Env, Napi::Object exports) {
  ExportFunction(exports, "hostInfo", HostInfo);
}

}  // namespace gdo
