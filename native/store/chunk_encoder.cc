#include "store/chunk_encoder.h"

namespace gdo::store {
namespace {

// Part of a chunk. What takes less is a difference that neither more bases nor a better search
// would make much smaller, and less than the chunk alone takes in all but the emptiest data.
constexpr size_t kSmallPart = 8;

// A difference is kept when it takes less than this many hundredths of the chunk alone (ADR 0010).
constexpr size_t kKeptPercent = 97;

}  // namespace

EncodedChunk ChunkEncoder::Encode(const BasePlan& plan) {
  Form form;
  if (!plan.stored.empty()) {
    form = AgainstStored(plan);
  } else if (!plan.recent.empty() && !codec_->IsIncompressible(bytes_)) {
    form = AgainstRecent(plan.recent);
  } else {
    return {codec_->EncodeRecord(ObjectKind::kChunk, id_, bytes_), {}};
  }
  RecordHeader header;
  header.kind = ObjectKind::kChunk;
  header.id = id_;
  header.raw_bytes = static_cast<uint32_t>(bytes_.size());
  if (form.frame.empty()) return {MakeRecord(header, {}, bytes_), {}};
  header.codec = form.bases.empty() ? Codec::kZstd : Codec::kZstdBase;
  return {MakeRecord(header, form.bases, form.frame), std::move(form.bases)};
}

// First, and nearly always last, against what stands where the chunk would.
ChunkEncoder::Form ChunkEncoder::AgainstStored(const BasePlan& plan) {
  std::vector<ChunkPointer> chunks(plan.stored.size());
  Read(plan.stored, plan.near_first, plan.near_count, chunks);
  Form best = Against(plan.stored, chunks, Effort::kQuick);
  if (CostOf(best) * kSmallPart < bytes_.size()) return best;
  if (plan.near_count < plan.stored.size()) {
    Read(plan.stored, 0, plan.stored.size(), chunks);
    Form wide = Against(plan.stored, chunks, Effort::kQuick);
    if (CostOf(wide) < CostOf(best)) best = std::move(wide);
  }
  Form alone = Alone();
  // Else it is not worth reading its bases for.
  return CostOf(best) * 100 < CostOf(alone) * kKeptPercent ? best : alone;
}

// Those before it are read before it anyway, and it is hardly ever longer for them.
ChunkEncoder::Form ChunkEncoder::AgainstRecent(const std::vector<RecentChunk>& recent) {
  Form form;
  std::vector<std::span<const uint8_t>> parts;
  for (const RecentChunk& chunk : recent) {
    form.bases.push_back(chunk.id);
    parts.push_back(chunk.bytes);
  }
  form.frame = codec_->Compress(bytes_, codec_->Join(parts), Effort::kThorough);
  return form;
}

ChunkEncoder::Form ChunkEncoder::Alone() {
  return {codec_->Compress(bytes_, {}, Effort::kThorough), {}};
}

// Against those that have been read.
ChunkEncoder::Form ChunkEncoder::Against(const std::vector<ObjectId>& ids,
                                         const std::vector<ChunkPointer>& chunks, Effort effort) {
  Form form;
  std::vector<std::span<const uint8_t>> parts;
  for (size_t index = 0; index < ids.size(); ++index) {
    if (chunks[index] == nullptr) continue;
    form.bases.push_back(ids[index]);
    parts.emplace_back(chunks[index]->bytes);
  }
  if (!parts.empty()) form.frame = codec_->Compress(bytes_, codec_->Join(parts), effort);
  return form;
}

// What can be read, is what it should be, and can be read without many others.
void ChunkEncoder::Read(const std::vector<ObjectId>& ids, size_t first, size_t count,
                        std::vector<ChunkPointer>& chunks) {
  for (size_t index = first; index < first + count; ++index) {
    ChunkPointer chunk;
    if (chunks[index] != nullptr || !store_.Has(ids[index])) continue;
    if (store_.GetChunk(ids[index], chunk).has_value()) continue;
    if (chunk->depth < kDepthMax) chunks[index] = std::move(chunk);
  }
}

size_t ChunkEncoder::CostOf(const Form& form) const {
  return form.frame.empty() ? bytes_.size() : form.frame.size() + form.bases.size() * kIdBytes;
}

}  // namespace gdo::store
