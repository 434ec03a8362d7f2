// Profiles of others, against what is known of them without their programs. casync's own cuts are
// compared in test/integration/casync.test.ts.
#include "core/profile.h"

#include <algorithm>
#include <string_view>

#include "core/fast_cdc.h"
#include "core/md5.h"
#include "expect.h"

namespace gdo::test {
namespace {

using Cut = size_t (*)(const FastCdc& rule, std::span<const uint8_t> bytes);

// Where each chunk ends.
std::vector<size_t> EndsOf(Cut cut, const FastCdc& rule, std::span<const uint8_t> bytes) {
  std::vector<size_t> ends;
  for (size_t end = 0; end < bytes.size();) {
    end += cut(rule, bytes.subspan(end));
    ends.push_back(end);
  }
  return ends;
}

// RFC 1321, A.5.
void Md5OfTheRfc() {
  constexpr std::string_view kText = "message digest";
  const Bytes bytes(kText.begin(), kText.end());
  EXPECT((Md5(bytes) == Md5Digest{0xf9, 0x6b, 0x69, 0x7d, 0x7c, 0xb7, 0x93, 0x8d, 0x52, 0x5a, 0x2f,
                                  0x31, 0xaa, 0xf1, 0x61, 0xd0}));
}

// Published with the table: its first number, and the hash that many zero bytes end with.
void GearIsDerived() {
  EXPECT(GearOf(0) == 0x3b5d3c7d207e37dc);
  EXPECT(0 - GearOf(0) == 14169102344523991076U);
}

void ZerosAreCutAtTheMaximum() {
  const Bytes zeros(10'240, 0);
  const FastCdc rule = FastCdcOf(64, 256, 1024, 1);
  for (const Cut cut : {FastCdc2016Cut, FastCdc2020Cut}) {
    const std::vector<size_t> ends = EndsOf(cut, rule, zeros);
    EXPECT(ends.size() == 10 && ends.front() == 1024);
  }
}

// From an independent program that reproduces the published cuts of a picture.
void KnownCutsOfOthers() {
  const Bytes bytes = Random(0).Take(1'000'000);
  const FastCdc rule = FastCdcOf(4096, 16'384, 65'535, 1);
  for (const Cut cut : {FastCdc2016Cut, FastCdc2020Cut}) {
    std::vector<size_t> ends = EndsOf(cut, rule, bytes);
    EXPECT(ends.size() == 50);
    EXPECT((std::vector<size_t>(ends.end() - 3, ends.end()) ==
            std::vector<size_t>{982155, 988816, 1000000}));
    ends.resize(8);
    EXPECT(
        (ends == std::vector<size_t>{23429, 43240, 66042, 92965, 115493, 133299, 159596, 184061}));
  }
}

// Up to any even length both forms cut alike; of an odd one the later form passes over the last.
void BothFormsCutAlike() {
  Random random(30);
  for (int round = 0; round < 300; ++round) {
    const int level = static_cast<int>(random.Below(4));
    const FastCdc rule = FastCdcOf(256, 1024, 4096, level);
    const Bytes bytes = random.Take(2 * random.Below(3000) + 2);
    EXPECT(FastCdc2016Cut(rule, bytes) == FastCdc2020Cut(rule, bytes));
    const std::span<const uint8_t> odd = std::span<const uint8_t>(bytes).first(bytes.size() - 1);
    const size_t earlier = FastCdc2016Cut(rule, odd);
    EXPECT(FastCdc2020Cut(rule, odd) == (earlier + 1 == odd.size() ? odd.size() : earlier));
  }
}

// More bits before the average and fewer after it draw the lengths together.
void LevelsNormalize() {
  const Bytes bytes = Random(31).Take(4'000'000);
  size_t previous = bytes.size();
  for (int level = 0; level <= 3; ++level) {
    const std::vector<size_t> ends =
        EndsOf(FastCdc2016Cut, FastCdcOf(1024, 4096, 65'536, level), bytes);
    size_t longest = 0;
    for (size_t index = 1; index < ends.size(); ++index) {
      longest = std::max(longest, ends[index] - ends[index - 1]);
    }
    EXPECT(longest < previous);
    previous = longest;
  }
}

}  // namespace

void TestProfiles() {
  Md5OfTheRfc();
  GearIsDerived();
  ZerosAreCutAtTheMaximum();
  KnownCutsOfOthers();
  BothFormsCutAlike();
  LevelsNormalize();
}

}  // namespace gdo::test
