#include "core/chunker.h"

#include <algorithm>

namespace gdo {
namespace {

Blake3::Digest IdOf(std::span<const uint8_t> bytes) {
  Blake3 hash = Blake3::Hash();
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace

Chunker::Chunker(const Profile& profile) : profile_(profile) {
  pending_.reserve(profile.bytes_max);
}

void Chunker::Update(std::span<const uint8_t> bytes, std::vector<Cut>& cuts) {
  while (!pending_.empty() && !bytes.empty()) UpdatePending(bytes, cuts);
  while (bytes.size() >= profile_.bytes_max) bytes = bytes.subspan(CutOne(bytes, cuts));
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

// Tops up the pending bytes and cuts them once if they suffice. What then remains is read in place
// again where it came with `bytes`.
void Chunker::UpdatePending(std::span<const uint8_t>& bytes, std::vector<Cut>& cuts) {
  const size_t take = std::min(profile_.bytes_max - pending_.size(), bytes.size());
  pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(take));
  const std::span<const uint8_t> rest = bytes.subspan(take);
  if (pending_.size() < profile_.bytes_max) {
    bytes = rest;
    return;
  }
  const size_t length = CutOne(pending_, cuts);
  const size_t left = pending_.size() - length;
  if (left <= take) {
    bytes = bytes.subspan(take - left);
    pending_.clear();
  } else {
    bytes = rest;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(length));
  }
}

void Chunker::Finish(std::vector<Cut>& cuts) {
  std::span<const uint8_t> rest = pending_;
  while (!rest.empty()) rest = rest.subspan(CutOne(rest, cuts));
  pending_.clear();
}

size_t Chunker::CutOne(std::span<const uint8_t> bytes, std::vector<Cut>& cuts) {
  const std::span<const uint8_t> window = bytes.first(std::min(bytes.size(), profile_.bytes_max));
  const size_t length = profile_.first_cut(profile_, window);
  cuts.push_back({offset_, length, IdOf(bytes.first(length))});
  offset_ += length;
  return length;
}

}  // namespace gdo
