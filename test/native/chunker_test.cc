#include "core/chunker.h"

#include <algorithm>
#include <initializer_list>

#include "core/window_minimum.h"
#include "expect.h"

namespace gdo::test {
namespace {

constexpr size_t kKibibyte = 1024;

const Profile& ProfileNamed(std::string_view name) {
  const Profile* const profile = FindProfile(name);
  EXPECT(profile != nullptr);
  return *profile;
}

std::vector<Cut> CutWhole(const Profile& profile, std::span<const uint8_t> bytes) {
  Chunker chunker(profile);
  std::vector<Cut> cuts;
  chunker.Update(bytes, cuts);
  chunker.Finish(cuts);
  return cuts;
}

std::vector<Cut> CutInPieces(const Profile& profile, std::span<const uint8_t> bytes,
                             Random& random) {
  Chunker chunker(profile);
  std::vector<Cut> cuts;
  const size_t piece_max = size_t{1} << (4 + random.Below(16));
  while (!bytes.empty()) {
    // A copy of its own size, so that a read past the piece is a fault that the sanitizer sees.
    const size_t size = std::min(bytes.size(), random.Below(piece_max) + 1);
    const Bytes piece(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    chunker.Update(piece, cuts);
    bytes = bytes.subspan(size);
  }
  chunker.Finish(cuts);
  return cuts;
}

bool Same(const std::vector<Cut>& left, const std::vector<Cut>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Cut& a, const Cut& b) {
                      return a.offset == b.offset && a.length == b.length && a.id == b.id;
                    });
}

Bytes WithHoles(Random& random, size_t size) {
  Bytes bytes = random.Take(size);
  for (size_t hole = random.Below(4); hole != 0 && size != 0; --hole) {
    const size_t start = random.Below(size);
    const size_t length = random.Below(size - start);
    std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(start), length, uint8_t{0});
  }
  return bytes;
}

void CutsCoverTheInput(const Profile& profile, std::span<const uint8_t> bytes,
                       const std::vector<Cut>& cuts) {
  uint64_t offset = 0;
  for (size_t index = 0; index < cuts.size(); ++index) {
    const Cut& cut = cuts[index];
    EXPECT(cut.offset == offset && cut.length > 0 && cut.length <= profile.bytes_max);
    EXPECT(cut.length >= profile.bytes_min || index + 1 == cuts.size());
    Blake3 hash = Blake3::Hash();
    hash.Update(bytes.subspan(cut.offset, cut.length));
    EXPECT(hash.Finish() == cut.id);
    offset += cut.length;
  }
  EXPECT(offset == bytes.size());
}

void AnySplit() {
  Random random(2);
  for (const char* const name :
       {"min8-64k", "min8-16k", "fixed-64k", "fastcdc2016-16k", "fastcdc2016-64k",
        "fastcdc2020-16k", "fastcdc2020-64k", "buzhash-casync"}) {
    const Profile& profile = ProfileNamed(name);
    for (int round = 0; round < 40; ++round) {
      const Bytes bytes = WithHoles(random, random.Below(round < 10 ? 200 : 1'000'000));
      const std::vector<Cut> cuts = CutWhole(profile, bytes);
      CutsCoverTheInput(profile, bytes, cuts);
      EXPECT(Same(cuts, CutInPieces(profile, bytes, random)));
    }
  }
}

// The rule in other words, byte by byte: the least hash wins, the first of equals, and a hash of
// all ones never.
size_t CutByDefinition(std::span<const uint8_t> bytes, size_t bytes_min, size_t bytes_max) {
  const size_t last = std::min(bytes.size(), bytes_max);
  size_t cut = last;
  uint64_t least = 0xFFFFFFFF;
  for (size_t end = bytes_min; end < last; ++end) {
    uint64_t older = 0;
    uint64_t newer = 0;
    for (size_t byte = 0; byte < 4; ++byte) {
      older += uint64_t{bytes[end - 8 + byte]} << (8 * byte);
      newer += uint64_t{bytes[end - 4 + byte]} << (8 * byte);
    }
    const uint64_t rotated = ((older << 16) | (older >> 16)) & 0xFFFFFFFF;
    const uint64_t hash = ((newer ^ rotated) * 2654435761 + 0xFFFFFFFF) & 0xFFFFFFFF;
    if (hash < least) {
      least = hash;
      cut = end;
    }
  }
  return cut;
}

void CutsFollowTheDefinition() {
  Random random(3);
  for (int round = 0; round < 20; ++round) {
    const Bytes bytes = WithHoles(random, random.Below(400'000));
    for (const Cut& cut : CutWhole(ProfileNamed("min8-16k"), bytes)) {
      const auto rest = std::span<const uint8_t>(bytes).subspan(cut.offset);
      EXPECT(cut.length == CutByDefinition(rest, 8 * kKibibyte, 24 * kKibibyte));
    }
  }
}

std::vector<uint64_t> LengthsOf(const std::vector<Cut>& cuts) {
  std::vector<uint64_t> lengths;
  lengths.reserve(cuts.size());
  for (const Cut& cut : cuts) lengths.push_back(cut.length);
  return lengths;
}

// A repeated byte, or a repeated pair of bytes, never attracts a cut, so a run of it is made of the
// largest chunks, all equal. A repeated group of four ties, and the first of its positions takes
// it.
void RunsOfOneByte() {
  const Profile& profile = ProfileNamed("min8-64k");
  const Bytes zeros(300 * kKibibyte, 0);
  EXPECT(
      (LengthsOf(CutWhole(profile, zeros)) == std::vector<uint64_t>{98304, 98304, 98304, 12288}));
  const Bytes spaces(300 * kKibibyte, ' ');
  EXPECT(LengthsOf(CutWhole(profile, spaces)) == LengthsOf(CutWhole(profile, zeros)));
  Bytes groups(100 * kKibibyte);
  for (size_t at = 0; at < groups.size(); ++at) groups[at] = static_cast<uint8_t>("ab"[at % 2]);
  EXPECT(LengthsOf(CutWhole(profile, groups)).front() == 98304);
  for (size_t at = 0; at < groups.size(); ++at) groups[at] = static_cast<uint8_t>("abcd"[at % 4]);
  EXPECT(LengthsOf(CutWhole(profile, groups)).front() < 32768 + 4);
}

void SmallInputs() {
  const Profile& profile = ProfileNamed("min8-64k");
  EXPECT(CutWhole(profile, {}).empty());
  Random random(4);
  EXPECT(CutWhole(profile, random.Take(1)).size() == 1);
  EXPECT(CutWhole(profile, random.Take(32 * kKibibyte)).size() == 1);
  EXPECT(FindProfile("min8-32k") == nullptr);
}

// Frozen: a kernel that cuts elsewhere would orphan what is stored [T2].
void KnownCuts() {
  const Bytes bytes = Random(0).Take(1'000'000);
  EXPECT(bytes[0] == 175 && bytes[127] == 132 && bytes[111111] == 118);
  EXPECT((LengthsOf(CutWhole(ProfileNamed("min8-64k"), bytes)) ==
          std::vector<uint64_t>{39208, 81925, 56352, 62328, 72894, 41099, 70496, 74698, 73504,
                                80338, 83829, 74145, 55304, 71891, 39562, 22427}));
  std::vector<uint64_t> first = LengthsOf(CutWhole(ProfileNamed("min8-16k"), bytes));
  first.resize(8);
  EXPECT((first == std::vector<uint64_t>{12061, 23878, 10596, 10450, 17503, 18839, 19143, 8663}));
}

// Few words, so every hash stands in hundreds of places and ranks decide. From the second reader's
// program, test/second-reader/cuts.py.
void KnownCutsAmongEqualHashes() {
  Random random(5);
  const Bytes words = random.Take(96);
  Bytes bytes;
  for (int word = 0; word < 20'000; ++word) {
    const auto start = words.begin() + static_cast<ptrdiff_t>(12 * random.Below(8));
    bytes.insert(bytes.end(), start, start + 12);
  }
  EXPECT((LengthsOf(CutWhole(ProfileNamed("min8-16k"), bytes)) ==
          std::vector<uint64_t>{24113, 13620, 12516, 12492, 19584, 14160, 20088, 8952, 24132, 11976,
                                8460, 8484, 19692, 23412, 8760, 8544, 1015}));
}

}  // namespace

void TestChunker() {
  AnySplit();
  CutsFollowTheDefinition();
  RunsOfOneByte();
  SmallInputs();
  KnownCuts();
  KnownCutsAmongEqualHashes();
}

}  // namespace gdo::test
