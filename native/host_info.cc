// hostInfo() -> {kernels, versions}: what this machine runs, for bug reports and benchmarks.
#include <napi.h>

#include "addon.h"
#include "arguments.h"
#include "core/blake3_kernel.h"
#include "core/crc32c.h"
#include "core/window_minimum.h"

namespace gdo {
namespace {

Napi::Value HostInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object kernels = Napi::Object::New(env);
  kernels.Set("blake3", TextOf(env, blake3::KernelName()));
  kernels.Set("chunker", TextOf(env, WindowKernelName()));
  kernels.Set("crc32c", TextOf(env, Crc32cKernelName()));
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
