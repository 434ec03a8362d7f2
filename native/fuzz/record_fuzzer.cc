// [T7] A record's header is one that a writer can have made, or none; [T6] [T10] its payload fills
// the stated length or is refused, whatever it and its bases hold. What was encoded comes back.
#include "bases.h"
#include "store/payload.h"
#include "store/record.h"
#include "stream.h"

namespace gdo::fuzz {
namespace {

constexpr size_t kObjectBytesMax = 200'000;

store::PayloadCodec& Codec() {
  static store::PayloadCodec codec;
  return codec;
}

void CheckArbitrary(FuzzedDataProvider& input) {
  const Bytes bases = Expand(input, input.ConsumeIntegral<uint16_t>());
  const Bytes record = input.ConsumeRemainingBytes<uint8_t>();
  if (record.size() < store::kRecordBytesMin) return;
  const auto header = store::DecodeRecordHeader(record);
  if (!header.has_value()) return;
  FUZZ_CHECK(header->raw_bytes <= store::kObjectBytesMax);
  FUZZ_CHECK(header->stored_bytes <= header->raw_bytes);
  FUZZ_CHECK(header->bases <= store::kBasesMax);
  if (header->RecordBytes() != record.size() || header->raw_bytes > kObjectBytesMax) return;
  Bytes out(header->raw_bytes);
  const auto payload =
      std::span(record).subspan(header->PayloadOffset()).first(header->stored_bytes);
  static_cast<void>(Codec().Decode(*header, payload, bases, out));
}

// Part of the object itself, so that leaning on it pays.
Bases BasesOf(uint32_t choice, std::span<const uint8_t> bytes) {
  Bases bases;
  bases.ids.resize(choice % (store::kBasesMax + 1));
  if (bases.ids.empty()) return bases;
  const size_t start = choice % (bytes.size() + 1);
  bases.bytes.assign(bytes.begin() + static_cast<ptrdiff_t>(start), bytes.end());
  return bases;
}

void CheckRoundTrip(FuzzedDataProvider& input) {
  const auto kind = static_cast<store::ObjectKind>(input.ConsumeIntegralInRange<uint8_t>(1, 3));
  const size_t place = input.ConsumeIntegral<uint32_t>();
  const auto change = input.ConsumeIntegral<uint8_t>();
  const auto base_choice = input.ConsumeIntegral<uint32_t>();
  const Bytes bytes = Expand(input, kObjectBytesMax);
  const Bases bases = BasesOf(base_choice, bytes);
  const store::ObjectId id = store::NameOf(kind, bytes);
  Bytes record = RecordOf(Codec(), kind, id, bytes, bases);
  const auto header = store::DecodeRecordHeader(record);
  FUZZ_CHECK(header.has_value() && header->RecordBytes() == record.size());
  FUZZ_CHECK(header->kind == kind && header->id == id && header->raw_bytes == bytes.size());
  const auto payload =
      std::span(record).subspan(header->PayloadOffset()).first(header->stored_bytes);
  Bytes out(bytes.size());
  FUZZ_CHECK(Codec().Decode(*header, payload, bases.bytes, out) && out == bytes);
  // Damaged anywhere: refused, or other bytes, which the id finds.
  if (payload.empty()) return;
  record[header->PayloadOffset() + place % payload.size()] ^= change;
  static_cast<void>(Codec().Decode(*header, payload, bases.bytes, out));
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  if (input.ConsumeBool()) {
    CheckArbitrary(input);
  } else {
    CheckRoundTrip(input);
  }
}

}  // namespace gdo::fuzz
