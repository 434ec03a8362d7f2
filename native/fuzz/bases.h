// Records that lean on others, as a writer makes them.
#pragma once

#include "store/payload.h"
#include "stream.h"

namespace gdo::fuzz {

// The chunks that a record leans on, and their bytes end to end.
struct Bases {
  std::vector<store::ObjectId> ids;
  Bytes bytes;
};

// Against the bases where there are some and that takes less than the object itself.
inline Bytes RecordOf(store::PayloadCodec& codec, store::ObjectKind kind, const store::ObjectId& id,
                      std::span<const uint8_t> bytes, const Bases& bases) {
  store::RecordHeader header;
  header.kind = kind;
  header.codec = store::Codec::kZstdBase;
  header.id = id;
  header.raw_bytes = static_cast<uint32_t>(bytes.size());
  Bytes frame;
  if (!bases.ids.empty() && !bytes.empty()) {
    const auto effort =
        bases.ids.size() % 2 == 0 ? store::Effort::kQuick : store::Effort::kThorough;
    frame = codec.Compress(bytes, bases.bytes, effort);
  }
  if (frame.empty()) return codec.EncodeRecord(kind, id, bytes);
  return store::MakeRecord(header, bases.ids, frame);
}

}  // namespace gdo::fuzz
