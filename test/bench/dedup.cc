// How much each way of cutting saves, at equal mean size: dedup AVERAGE SEEDS FILE... prints for
// every rule the mean length, the share of the bytes in chunks seen before (mean over the seeds,
// its standard deviation, least, greatest, and that of seed 0), tab-separated. A seed replaces the
// rule's arbitrary constants, multipliers or table, and tells so what is the rule and what is luck;
// seed 0 has those in use. Bounds are adjusted until the mean is within 1 % of AVERAGE.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "core/blake3.h"
#include "core/buzhash.h"
#include "core/buzhash_table.h"
#include "core/fast_cdc.h"
#include "core/little_endian.h"

namespace {

using Bytes = std::vector<uint8_t>;
using View = std::span<const uint8_t>;
// Length of the first chunk of the bytes, for a parameter that grows with the mean.
struct Constants;
using Rule = size_t (*)(View bytes, double parameter, const Constants& with);

struct Constants {
  uint32_t factor;
  uint32_t second;
  uint64_t gear[256];
  uint32_t buzhash[256];
};

uint64_t NextRandom(uint64_t& state) {
  state += 0x9E3779B97F4A7C15;
  uint64_t mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
  return mixed ^ (mixed >> 31);
}

Constants ConstantsOf(uint64_t seed) {
  Constants constants = {0x9E3779B1, 0x85EBCA77, {}, {}};
  for (int byte = 0; byte < 256; ++byte) {
    constants.gear[byte] = gdo::GearOf(static_cast<uint8_t>(byte));
    constants.buzhash[byte] = gdo::kBuzhashTable[byte];
  }
  if (seed == 0) return constants;
  constants.factor = static_cast<uint32_t>(NextRandom(seed)) | 1;
  constants.second = static_cast<uint32_t>(NextRandom(seed)) | 1;
  for (uint64_t& number : constants.gear) number = NextRandom(seed);
  for (uint32_t& number : constants.buzhash) number = static_cast<uint32_t>(NextRandom(seed));
  return constants;
}

// Eight bytes in one word; equal bytes and equal pairs cancel out.
uint32_t Eight(const uint8_t* end) {
  return gdo::LoadLittle32(end - 4) ^ std::rotl(gdo::LoadLittle32(end - 8), 16);
}

uint32_t Hash8(const uint8_t* end, const Constants& with) { return Eight(end) * with.factor; }

uint32_t Hash8Twice(const uint8_t* end, const Constants& with) {
  const uint32_t once = Hash8(end, with);
  return (once ^ (once >> 15)) * with.second;
}

uint32_t Hash16(const uint8_t* end, const Constants& with) {
  return (Eight(end) ^ std::rotl(Eight(end - 8), 13)) * with.factor;
}

// What decides among equal hashes.
uint64_t RankOf(const uint8_t* end, const Constants& with) {
  uint64_t rank = 0;
  for (size_t back = 32; back != 0; back -= 8) {
    rank = (rank ^ gdo::LoadLittle64(end - back)) * (uint64_t{with.factor} << 32 | with.second);
    rank ^= rank >> 29;
  }
  return rank;
}

using Hash = uint32_t (*)(const uint8_t* end, const Constants& with);

// The minimum in 0.5 to 1.5 of the average: its first place, or that of the least rank.
template <Hash kHash, bool kRanked>
size_t MinimumCut(View bytes, double average, const Constants& with) {
  const auto first = static_cast<size_t>(average / 2);
  const size_t last = std::min(bytes.size(), static_cast<size_t>(average * 3 / 2));
  if (bytes.size() <= first) return bytes.size();
  const uint8_t* const start = bytes.data();
  size_t best = last;
  uint32_t least = 0xFFFFFFFF;
  for (size_t at = first; at < last; ++at) {
    const uint32_t value = kHash(start + at, with) - 1;  // Of zeros the greatest.
    if (value < least) {
      least = value;
      best = at;
    } else if (kRanked && value == least && best != last &&
               RankOf(start + at, with) < RankOf(start + best, with)) {
      best = at;
    }
  }
  return best;
}

size_t GearExponentialCut(View bytes, double average, const Constants& with) {
  const auto first = static_cast<size_t>(average / 2);
  const size_t last = std::min(bytes.size(), static_cast<size_t>(4 * average));
  if (bytes.size() <= first) return bytes.size();
  const auto limit = static_cast<uint64_t>(18446744073709551615.0 / (average / 2));
  uint64_t hash = 0;
  for (size_t at = first; at < last; ++at) {
    hash = (hash << 1) + with.gear[bytes[at]];
    if (hash < limit) return at + 1;
  }
  return last;
}

// FastCDC with thresholds instead of masks, so that any mean can be asked for: half and twice the
// chance on either side of the average, as one level of normalization has it.
size_t FastCdcCut(View bytes, double average, const Constants& with) {
  const auto first = static_cast<size_t>(average / 4);
  const auto center = std::min(bytes.size(), static_cast<size_t>(average));
  const size_t last = std::min(bytes.size(), static_cast<size_t>(4 * average));
  if (bytes.size() <= first) return bytes.size();
  const double chance = 18446744073709551615.0 / average;
  const auto before = static_cast<uint64_t>(chance / 2);
  const auto after = static_cast<uint64_t>(chance * 2);
  uint64_t hash = 0;
  for (size_t at = first; at < last; ++at) {
    hash = (hash << 1) + with.gear[bytes[at]];
    if (hash < (at < center ? before : after)) return at;
  }
  return last;
}

// casync's rule, as native/core/buzhash.cc has it, over any table.
size_t CasyncCut(View bytes, double average, const Constants& with) {
  const gdo::Buzhash rule = gdo::BuzhashOf(static_cast<size_t>(average));
  const size_t last = std::min(bytes.size(), rule.bytes_max);
  if (bytes.size() <= rule.bytes_min) return bytes.size();
  uint32_t hash = 0;
  for (size_t at = rule.bytes_min - 48; at < rule.bytes_min; ++at) {
    hash = std::rotl(hash, 1) ^ with.buzhash[bytes[at]];
  }
  for (size_t at = rule.bytes_min; at < last; ++at) {
    if (hash % rule.divisor == rule.divisor - 1) return at;
    hash =
        std::rotl(hash, 1) ^ std::rotl(with.buzhash[bytes[at - 48]], 16) ^ with.buzhash[bytes[at]];
  }
  return last;
}

struct Outcome {
  double mean;
  double saved;
};

Outcome Measure(const std::vector<Bytes>& files, Rule rule, double parameter,
                const Constants& with) {
  std::set<gdo::Blake3::Digest> seen;
  size_t total = 0;
  size_t unique = 0;
  size_t chunks = 0;
  for (const Bytes& file : files) {
    for (View rest = file; !rest.empty(); ++chunks) {
      const size_t length = rule(rest, parameter, with);
      gdo::Blake3 hash = gdo::Blake3::Hash();
      hash.Update(rest.first(length));
      if (seen.insert(hash.Finish()).second) unique += length;
      total += length;
      rest = rest.subspan(length);
    }
  }
  const auto all = static_cast<double>(total);
  return {all / static_cast<double>(chunks), 100 * (all - static_cast<double>(unique)) / all};
}

Outcome AtMean(const std::vector<Bytes>& files, Rule rule, double average, const Constants& with) {
  double parameter = average;
  Outcome outcome{};
  for (int round = 0; round < 8; ++round) {
    outcome = Measure(files, rule, parameter, with);
    if (std::abs(outcome.mean / average - 1) < 0.01) break;
    parameter *= average / outcome.mean;
  }
  return outcome;
}

void Print(const char* name, const std::vector<Outcome>& outcomes) {
  const auto count = static_cast<double>(outcomes.size());
  double mean = 0;
  double saved = 0;
  for (const Outcome& outcome : outcomes) {
    mean += outcome.mean / count;
    saved += outcome.saved / count;
  }
  double squares = 0;
  double least = 100;
  double greatest = 0;
  for (const Outcome& outcome : outcomes) {
    squares += (outcome.saved - saved) * (outcome.saved - saved);
    least = std::min(least, outcome.saved);
    greatest = std::max(greatest, outcome.saved);
  }
  const double deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  std::printf("%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", name, mean, saved, deviation, least,
              greatest, outcomes.front().saved);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const double average = std::atof(argv[1]);
  const auto seeds = static_cast<uint64_t>(std::atoi(argv[2]));
  std::vector<Bytes> files;
  for (int index = 3; index < argc; ++index) {
    std::ifstream file(argv[index], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  const std::pair<const char*, Rule> rules[] = {{"min8 ranked", MinimumCut<Hash8, true>},
                                                {"min8", MinimumCut<Hash8, false>},
                                                {"min8 twice", MinimumCut<Hash8Twice, false>},
                                                {"min16", MinimumCut<Hash16, false>},
                                                {"min16 ranked", MinimumCut<Hash16, true>},
                                                {"gear exponential", GearExponentialCut},
                                                {"fastcdc", FastCdcCut},
                                                {"buzhash casync", CasyncCut}};
  for (const auto& [name, rule] : rules) {
    std::vector<Outcome> outcomes;
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      outcomes.push_back(AtMean(files, rule, average, ConstantsOf(seed)));
    }
    Print(name, outcomes);
  }
}
