#include "addon.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new gdo::AddonState());  // Freed by Node-API with the environment.
  gdo::ExportBlake3(env, exports);
  gdo::ExportChunker(env, exports);
  gdo::ExportCrc32c(env, exports);
  gdo::ExportFileSystem(env, exports);
  gdo::ExportHostInfo(env, exports);
  gdo::ExportWiegandDecoder(env, exports);
  gdo::ExportZstd(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(gdo, Init)
