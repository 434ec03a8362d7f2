// How much each way of cutting saves, at equal mean size: dedup AVERAGE FILE... prints for every
// rule the mean length, the share of the bytes in chunks seen before, and the chunks. A rule's
// parameter is searched for until its mean over all files is within 1 % of AVERAGE.
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "core/blake3.h"
#include "core/buzhash.h"
#include "core/fast_cdc.h"
#include "core/little_endian.h"

namespace {

using Bytes = std::vector<uint8_t>;
using View = std::span<const uint8_t>;
// Length of the first chunk of the bytes, for a parameter that grows with the mean.
using Rule = std::function<size_t(View bytes, double parameter)>;

constexpr uint32_t kGolden = 0x9E3779B1;
constexpr uint32_t kSecond = 0x85EBCA77;  // Odd, of the second multiplication.

template <typename Hash>
size_t MinimumCut(View bytes, double average, Hash hash) {
  const auto first = static_cast<size_t>(average / 2);
  const size_t last = std::min(bytes.size(), static_cast<size_t>(average * 3 / 2));
  if (bytes.size() <= first) return bytes.size();
  size_t best = last;
  uint32_t least = 0xFFFFFFFF;
  for (size_t at = first; at < last; ++at) {
    const uint32_t value = hash(bytes.data() + at) - 1;  // Of zeros the greatest.
    if (value < least) {
      least = value;
      best = at;
    }
  }
  return best;
}

template <int kRotation>
uint32_t OneMultiplication(const uint8_t* end) {
  return (gdo::LoadLittle32(end - 4) ^ std::rotl(gdo::LoadLittle32(end - 8), kRotation)) * kGolden;
}

uint32_t TwoMultiplications(const uint8_t* end) {
  return gdo::LoadLittle32(end - 4) * kGolden + gdo::LoadLittle32(end - 8) * kSecond;
}

uint32_t Four(const uint8_t* end) { return gdo::LoadLittle32(end - 4) * kGolden; }

uint32_t FourTwice(const uint8_t* end) {
  const uint32_t once = gdo::LoadLittle32(end - 4) * kGolden;
  return (once ^ (once >> 15)) * kSecond;
}

size_t GearExponentialCut(View bytes, double average) {
  const auto first = static_cast<size_t>(average / 2);
  const size_t last = std::min(bytes.size(), static_cast<size_t>(4 * average));
  if (bytes.size() <= first) return bytes.size();
  const auto limit = static_cast<uint64_t>(18446744073709551615.0 / (average / 2));
  uint64_t hash = 0;
  for (size_t at = first; at < last; ++at) {
    hash = (hash << 1) + gdo::GearOf(bytes[at]);
    if (hash < limit) return at + 1;
  }
  return last;
}

// FastCDC with thresholds instead of masks, so that any mean can be asked for: a quarter and four
// times the chance on either side of the average.
size_t FastCdcCut(View bytes, double average) {
  const auto first = static_cast<size_t>(average / 4);
  const auto center = std::min(bytes.size(), static_cast<size_t>(average));
  const size_t last = std::min(bytes.size(), static_cast<size_t>(4 * average));
  if (bytes.size() <= first) return bytes.size();
  const double chance = 18446744073709551615.0 / average;
  uint64_t hash = 0;
  for (size_t at = first; at < last; ++at) {
    hash = (hash << 1) + gdo::GearOf(bytes[at]);
    if (hash < static_cast<uint64_t>(at < center ? chance / 2 : chance * 2)) return at;
  }
  return last;
}

size_t CasyncCut(View bytes, double average) {
  return gdo::BuzhashCut(gdo::BuzhashOf(static_cast<size_t>(average)), bytes);
}

struct Outcome {
  double mean;
  double saved;
  size_t chunks;
};

Outcome Measure(const std::vector<Bytes>& files, const Rule& rule, double parameter) {
  std::set<gdo::Blake3::Digest> seen;
  size_t total = 0;
  size_t unique = 0;
  size_t chunks = 0;
  for (const Bytes& file : files) {
    for (View rest = file; !rest.empty(); ++chunks) {
      const size_t length = rule(rest, parameter);
      gdo::Blake3 hash = gdo::Blake3::Hash();
      hash.Update(rest.first(length));
      if (seen.insert(hash.Finish()).second) unique += length;
      total += length;
      rest = rest.subspan(length);
    }
  }
  const auto all = static_cast<double>(total);
  return {all / static_cast<double>(chunks), 100 * (all - static_cast<double>(unique)) / all,
          chunks};
}

Outcome AtMean(const std::vector<Bytes>& files, const Rule& rule, double average) {
  double parameter = average;
  Outcome outcome{};
  for (int round = 0; round < 8; ++round) {
    outcome = Measure(files, rule, parameter);
    if (std::abs(outcome.mean / average - 1) < 0.01) break;
    parameter *= average / outcome.mean;
  }
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::vector<Bytes> files;
  for (int index = 2; index < argc; ++index) {
    std::ifstream file(argv[index], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  const std::pair<const char*, Rule> rules[] = {
      {"min8 rot15 1-mul",
       [](View b, double a) { return MinimumCut(b, a, OneMultiplication<15>); }},
      {"min8 rot16 1-mul",
       [](View b, double a) { return MinimumCut(b, a, OneMultiplication<16>); }},
      {"min8 rot0 1-mul", [](View b, double a) { return MinimumCut(b, a, OneMultiplication<0>); }},
      {"min8 2-mul", [](View b, double a) { return MinimumCut(b, a, TwoMultiplications); }},
      {"min4 1-mul", [](View b, double a) { return MinimumCut(b, a, Four); }},
      {"min4 2-mul", [](View b, double a) { return MinimumCut(b, a, FourTwice); }},
      {"gear exponential", GearExponentialCut},
      {"fastcdc", FastCdcCut},
      {"buzhash casync", CasyncCut}};
  for (const auto& [name, rule] : rules) {
    const Outcome outcome = AtMean(files, rule, std::atof(argv[1]));
    std::printf("%s\t%.0f\t%.2f\t%zu\n", name, outcome.mean, outcome.saved, outcome.chunks);
  }
}
