// [T9] [T10] The index's files: whatever stands in a run, nothing that it holds is lost or found
// elsewhere; a page that is damaged is mended from what the run was made of. No bytes, not even
// with right checksums, do any harm.
#include <map>

#include "core/crc32c.h"
#include "core/little_endian.h"
#include "folder.h"
#include "store/index/manifest.h"
#include "store/index/run.h"
#include "store/index/run_writer.h"

namespace gdo::fuzz {
namespace {

using store::ObjectId;
using store::Place;
using store::Row;

constexpr size_t kRowsMax = 2 * store::kRowsPerGroup + 200;
constexpr uint32_t kPacks = 3;

using Rows = std::map<ObjectId, Place>;

// Some ids begin alike, as hashes hardly ever do: then several blocks may hold one.
ObjectId AnyId(Noise& noise) {
  ObjectId id;
  for (uint8_t& byte : id) byte = static_cast<uint8_t>(noise.Next() >> 56);
  if (noise.Below(4) == 0) std::fill_n(id.begin(), 8, static_cast<uint8_t>(id[0] % 3));
  return id;
}

Rows MakeRows(FuzzedDataProvider& input, Noise& noise) {
  Rows rows;
  for (size_t count = input.ConsumeIntegralInRange<size_t>(1, kRowsMax); count != 0; --count) {
    const auto pack = static_cast<uint32_t>(1 + noise.Below(kPacks));
    rows[AnyId(noise)] = {pack, static_cast<uint32_t>(noise.Next()),
                          static_cast<uint32_t>(1 + noise.Below(1000))};
  }
  return rows;
}

void WriteRun(const std::string& path, const Rows& rows) {
  unlink(path.c_str());
  std::unique_ptr<store::RunWriter> writer;
  FUZZ_CHECK(!store::RunWriter::Open(path, 1, {1, 2, 3}, writer).has_value());
  for (const auto& [id, place] : rows) FUZZ_CHECK(!writer->Add({id, place}).has_value());
  FUZZ_CHECK(!writer->Finish().has_value());
}

store::Mender MenderOf(const Rows& rows) {
  return [&rows](const std::vector<store::PackRows>& packs, uint64_t low, uint64_t high,
                 std::vector<Row>& out) -> store::Outcome {
    for (const auto& [id, place] : rows) {
      const uint64_t prefix = store::PrefixOf(id);
      bool is_asked = false;
      for (const auto& pack : packs) is_asked = is_asked || pack.pack == place.pack;
      if (is_asked && prefix >= low && prefix <= high) out.push_back({id, place});
    }
    return std::nullopt;
  };
}

// Bits, blocks in each other's place, an end that is missing.
void Damage(FuzzedDataProvider& input, uint64_t blocks, Bytes& run) {
  const int damages = input.ConsumeIntegralInRange(0, 4);
  for (int count = 0; count < damages && !run.empty(); ++count) {
    const size_t place = input.ConsumeIntegral<uint32_t>() % run.size();
    const size_t page = place / store::kPageBytes % store::kBlocksPerGroup * store::kPageBytes;
    switch (input.ConsumeIntegralInRange(0, 4)) {
      case 0:
        run.resize(place);
        break;
      case 1:
        if (page / store::kPageBytes < blocks && page + store::kPageBytes <= run.size()) {
          std::swap_ranges(run.begin(), run.begin() + store::kPageBytes,
                           run.begin() + static_cast<ptrdiff_t>(page));
        }
        break;
      default:
        run[place] ^= static_cast<uint8_t>(1U << input.ConsumeIntegralInRange(0, 7));
    }
  }
}

void CheckRows(store::Run& run, const Rows& rows, Noise& noise) {
  for (const auto& [id, place] : rows) {
    if (noise.Below(rows.size()) > 300) continue;
    std::optional<Place> found;
    FUZZ_CHECK(!run.Find(id, found).has_value());
    FUZZ_CHECK(found == place);
  }
  for (int count = 0; count < 50; ++count) {
    const ObjectId id = AnyId(noise);
    std::optional<Place> found;
    FUZZ_CHECK(!run.Find(id, found).has_value());
    FUZZ_CHECK(found.has_value() == rows.contains(id));
  }
  Rows read;
  for (size_t group = 0; group < run.Groups(); ++group) {
    std::vector<Row> some;
    FUZZ_CHECK(!run.ReadGroup(group, some).has_value());
    for (const Row& row : some) read[row.id] = row.place;
  }
  FUZZ_CHECK(read == rows);
}

void CheckRun(FuzzedDataProvider& input) {
  static const Folder folder;
  const std::string path = folder.Path() + "/run";
  Noise noise(input.ConsumeIntegral<uint32_t>());
  const Rows rows = MakeRows(input, noise);
  WriteRun(path, rows);
  Bytes bytes = ContentOf(store::File(open(path.c_str(), O_RDONLY | O_CLOEXEC)));
  const Bytes sound = bytes;
  Damage(input, store::BlocksOf(rows.size()), bytes);
  const store::File file(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  FUZZ_CHECK(store::WriteAt(file.Fd(), bytes, 0));
  std::shared_ptr<store::Run> run;
  const store::Outcome fault = store::Run::Open(path, MenderOf(rows), run);
  FUZZ_CHECK(!fault.has_value() || bytes != sound);
  if (fault.has_value()) return;
  CheckRows(*run, rows, noise);
  std::vector<store::IndexFault> faults;
  run->Verify(faults);
  FUZZ_CHECK(faults.empty() == (bytes == sound));
}

// As often with a checksum that is right.
void CheckArbitrary(FuzzedDataProvider& input) {
  const bool is_sealed = input.ConsumeBool();
  Bytes bytes = input.ConsumeRemainingBytes<uint8_t>();
  if (is_sealed && bytes.size() >= store::kCrcBytes) {
    const size_t end = bytes.size() - store::kCrcBytes;
    StoreLittle32(bytes.data() + end, Crc32c(std::span(bytes).first(end)));
  }
  if (const auto manifest = store::DecodeManifest(bytes); manifest.has_value()) {
    const Bytes again = store::EncodeManifest(*manifest);
    FUZZ_CHECK(store::EncodeManifest(store::DecodeManifest(again).value()) == again);
  }
  if (const auto tail = store::DecodeRunTail(bytes); tail.has_value()) {
    const Bytes again = store::EncodeRunTail(*tail);
    FUZZ_CHECK(store::EncodeRunTail(store::DecodeRunTail(again).value()) == again);
  }
}

}  // namespace

void Try(FuzzedDataProvider& input) {
  if (input.ConsumeBool()) {
    CheckArbitrary(input);
  } else {
    CheckRun(input);
  }
}

}  // namespace gdo::fuzz
