// What the exports share: one state per environment [N4] (the main thread and each worker have
// their own) and one registration function per file.
#pragma once

#include <napi.h>

#include "core/zstd_codec.h"

namespace gdo {

struct AddonState {
  ZstdCodec zstd;
};

void ExportBlake3(Napi::Env env, Napi::Object exports);
void ExportChunker(Napi::Env env, Napi::Object exports);
void ExportCrc32c(Napi::Env env, Napi::Object exports);
void ExportEd25519(Napi::Env env, Napi::Object exports);
void ExportFileSystem(Napi::Env env, Napi::Object exports);
void ExportFileSystemXattrs(Napi::Env env, Napi::Object exports);
void ExportHostInfo(Napi::Env env, Napi::Object exports);
void ExportPackItems(Napi::Env env, Napi::Object exports);
void ExportPackStore(Napi::Env env, Napi::Object exports);
void ExportWiegandDecoder(Napi::Env env, Napi::Object exports);
void ExportZstd(Napi::Env env, Napi::Object exports);
void ExportZstdStream(Napi::Env env, Napi::Object exports);

}  // namespace gdo
