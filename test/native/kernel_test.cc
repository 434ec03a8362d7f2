#include "core/kernel.h"

#include <algorithm>
#include <cstdio>

#include "core/blake3.h"
#include "core/chunker.h"
#include "core/window_hash.h"
#include "expect.h"

namespace gdo::test {
namespace {

// All that this processor runs but the plain one, which the others are compared with.
template <typename Compare>
void ForEachFast(Compare compare) {
  for (const Kernel* const kernel : Kernels()) {
    if (kernel != &kScalarKernel && kernel->is_present()) compare(*kernel);
  }
}

std::vector<uint32_t> Words(Random& random, size_t count) {
  std::vector<uint32_t> words(count);
  for (uint32_t& word : words) word = static_cast<uint32_t>(random.Next());
  return words;
}

// Counters near 2^32 and 2^64 tell whether lanes carry into their high halves.
uint64_t Counter(Random& random) {
  constexpr uint64_t kEdges[] = {0, 0xFFFFFFF0, 0x12FFFFFFFA, ~uint64_t{0} - 30};
  return kEdges[random.Below(4)] + random.Below(32);
}

void ChunksAreAlike() {
  Random random(20);
  for (size_t count = 1; count <= 80; ++count) {
    const Bytes bytes = random.Take(count * blake3::kChunkBytes);
    const std::vector<uint32_t> key = Words(random, 8);
    const uint64_t counter = Counter(random);
    const auto flags = static_cast<uint32_t>(random.Below(128));
    std::vector<uint32_t> expected(8 * count);
    kScalarKernel.hash_chunks(bytes.data(), count, key.data(), counter, flags, expected.data());
    ForEachFast([&](const Kernel& kernel) {
      std::vector<uint32_t> out(8 * count);
      kernel.hash_chunks(bytes.data(), count, key.data(), counter, flags, out.data());
      EXPECT(out == expected);
    });
  }
}

void ParentsAreAlike() {
  Random random(21);
  for (size_t count = 1; count <= 80; ++count) {
    const std::vector<uint32_t> children = Words(random, 16 * count);
    const std::vector<uint32_t> key = Words(random, 8);
    const auto flags = static_cast<uint32_t>(random.Below(128));
    std::vector<uint32_t> expected(8 * count);
    kScalarKernel.hash_parents(children.data(), count, key.data(), flags, expected.data());
    ForEachFast([&](const Kernel& kernel) {
      std::vector<uint32_t> in_place = children;
      kernel.hash_parents(in_place.data(), count, key.data(), flags, in_place.data());
      EXPECT(std::equal(expected.begin(), expected.end(), in_place.begin()));
    });
  }
}

// Bytes of a small alphabet, and phrases, repeat hashes, so the choice among equals is put to the
// test; zeros must never win.
Bytes Content(Random& random, size_t size) {
  const size_t letters = size_t{1} << random.Below(9);
  Bytes bytes = random.Take(size);
  if (random.Below(3) == 0) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(byte % letters);
  }
  if (random.Below(3) == 0) {
    const size_t period = 9 + random.Below(600);
    for (size_t at = period; at < size; ++at) {
      if (random.Below(100) != 0) bytes[at] = bytes[at - period];
    }
  }
  if (random.Below(3) == 0 && size != 0) {
    const size_t start = random.Below(size);
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(start), bytes.end(), uint8_t{0});
  }
  if (random.Below(4) == 0 && size != 0) {
    std::fill(bytes.begin(), bytes.end(), uint8_t{0});
    bytes[random.Below(size)] = 1;
  }
  return bytes;
}

void MinimaAreAlike() {
  Random random(22);
  for (int round = 0; round < 6000; ++round) {
    const size_t size_max = round % 100 == 0 ? 70'000 : 1200;
    // A buffer of its own size, so that a read past it is a fault that the sanitizer sees.
    const Bytes bytes = Content(random, kRankBytes + random.Below(size_max));
    const size_t first = kRankBytes + random.Below(bytes.size() - kRankBytes + 1);
    const size_t expected = kScalarKernel.window_minimum(bytes.data(), first, bytes.size());
    ForEachFast([&](const Kernel& kernel) {
      EXPECT(kernel.window_minimum(bytes.data(), first, bytes.size()) == expected);
    });
  }
}

void ChoosesByName() {
  EXPECT(&kScalarKernel == Kernels().front());
  EXPECT(ChooseKernel("scalar").kernel == &kScalarKernel && ChooseKernel("scalar").fault.empty());
  const KernelChoice fastest = ChooseKernel(nullptr);
  EXPECT(fastest.fault.empty() && ChooseKernel("").kernel == fastest.kernel);
  ForEachFast([&](const Kernel& kernel) {
    EXPECT(ChooseKernel(std::string(kernel.name).c_str()).kernel == &kernel);
  });
  const KernelChoice wrong = ChooseKernel("AVX2");
  EXPECT(wrong.kernel == fastest.kernel);
  EXPECT(wrong.fault.starts_with("GDO_KERNEL=AVX2: ") && wrong.fault.find("scalar") < 200);
}

}  // namespace

void TestKernels() {
  ChunksAreAlike();
  ParentsAreAlike();
  MinimaAreAlike();
  ChoosesByName();
}

void PrintDigest() {
  Blake3 all = Blake3::Hash();
  Random random(23);
  for (const char* const name : {"min8-64k", "min8-16k", "fastcdc2020-16k", "buzhash-casync"}) {
    for (int round = 0; round < 20; ++round) {
      Chunker chunker(*FindProfile(name));
      std::vector<gdo::Cut> cuts;
      chunker.Update(Content(random, random.Below(300'000)), cuts);
      chunker.Finish(cuts);
      for (const gdo::Cut& cut : cuts) all.Update(cut.id);
    }
  }
  std::printf("%s ", std::string(ActiveKernel().name).c_str());
  for (const uint8_t byte : all.Finish()) std::printf("%02x", byte);
  std::puts("");
}

}  // namespace gdo::test
