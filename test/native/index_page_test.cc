// The bytes of a run, of its end and of a manifest [T9] [T10].
#include <algorithm>

#include "index_expect.h"
#include "store/index/manifest.h"
#include "store/index/page.h"
#include "store/index/run_format.h"

namespace gdo::test {
namespace {

std::vector<store::Row> SortedRows(Random& random, size_t count) {
  std::vector<store::Row> rows(count);
  for (store::Row& row : rows) {
    const Bytes bytes = random.Take(store::kIdBytes);
    std::copy(bytes.begin(), bytes.end(), row.id.begin());
    row.place = {static_cast<uint32_t>(random.Next()), static_cast<uint32_t>(random.Next()),
                 1 + static_cast<uint32_t>(random.Below(1000))};
  }
  std::sort(rows.begin(), rows.end(),
            [](const store::Row& row, const store::Row& other) { return row.id < other.id; });
  return rows;
}

void TestBlock(Random& random, size_t count) {
  const auto rows = SortedRows(random, count);
  store::Page block;
  store::EncodeBlock(rows, block);
  EXPECT(store::IsPageSound(block));
  for (size_t at = 0; at < count; ++at) {
    const store::Row row = store::RowOf(block, at);
    EXPECT(row.id == rows[at].id && row.place == rows[at].place);
    EXPECT(store::LowerBound(block, count, row.id) == at);
  }
  for (size_t bit = 0; bit < store::kPageBytes * 8; bit += 1 + random.Below(200)) {
    block[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    EXPECT(!store::IsPageSound(block));
    block[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
  }
}

// The filter never leaves out what is there, and lets through no more than it should.
void TestSummary(Random& random) {
  store::Page summary{};
  std::vector<std::vector<store::Row>> blocks;
  for (size_t slot = 0; slot < store::kBlocksPerGroup; ++slot) {
    blocks.push_back(SortedRows(random, store::kRowsPerBlock));
    store::SummarizeBlock(blocks.back(), slot, summary);
  }
  store::SealPage(summary);
  EXPECT(store::IsPageSound(summary));
  size_t passed = 0;
  for (size_t slot = 0; slot < blocks.size(); ++slot) {
    EXPECT(store::FenceOf(summary, slot) == store::PrefixOf(blocks[slot].front().id));
    for (const store::Row& row : blocks[slot]) EXPECT(store::MayHold(summary, slot, row.id));
    for (const store::Row& row : SortedRows(random, 1000)) {
      passed += store::MayHold(summary, slot, row.id) ? 1 : 0;
    }
  }
  EXPECT(passed < blocks.size() * 1000 * 3 / 100);
}

store::Manifest SomeManifest() {
  store::Manifest manifest;
  manifest.ids = 7;
  manifest.last_run = 9;
  manifest.last_pack = 12;
  manifest.runs.push_back({3, 0xDEADBEEF, 123456789012, {{1, 100}, {5, 200}}});
  manifest.runs.push_back({9, 1, 5, {{12, 4000000000}}});
  return manifest;
}

template <typename Decode>
void ExpectEveryFlipFound(Bytes bytes, const Decode& decode) {
  EXPECT(decode(bytes));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    EXPECT(!decode(bytes));
    bytes[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT(!decode(Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size))));
  }
}

}  // namespace

void TestIndexPages() {
  Random random(5);
  for (const size_t count : {size_t{1}, size_t{2}, size_t{92}, store::kRowsPerBlock}) {
    TestBlock(random, count);
  }
  TestSummary(random);
}

void TestIndexFiles() {
  store::RunTail tail;
  tail.number = 77;
  tail.rows = 3 * store::kRowsPerGroup + 1;
  tail.fences = {0, 1, uint64_t{1} << 63, UINT64_MAX};
  tail.packs = {{1, 4000}, {900, 0}, {0x7FFFFFFF, 6882}};
  const Bytes bytes = store::EncodeRunTail(tail);
  const auto read = store::DecodeRunTail(bytes);
  EXPECT(read.has_value() && read->number == 77 && read->rows == tail.rows);
  EXPECT(read->fences == tail.fences && read->packs.size() == 3 && read->packs[2].rows == 6882);
  ExpectEveryFlipFound(bytes, [](const Bytes& b) { return store::DecodeRunTail(b).has_value(); });

  const Bytes manifest = store::EncodeManifest(SomeManifest());
  const auto again = store::DecodeManifest(manifest);
  EXPECT(again.has_value() && store::EncodeManifest(*again) == manifest);
  EXPECT(again->ids == 7 && again->runs[0].packs == SomeManifest().runs[0].packs);
  ExpectEveryFlipFound(manifest,
                       [](const Bytes& b) { return store::DecodeManifest(b).has_value(); });
}

}  // namespace gdo::test
