#include "core/profile.h"

#include <algorithm>

#include "core/buzhash.h"
#include "core/fast_cdc.h"
#include "core/window_minimum.h"

namespace gdo {
namespace {

// Lengths from min to max are candidates, min included, and max taken when none of them beats it:
// then the range holds one average of positions exactly. The end of the input only shortens it.
size_t WindowMinimumCut(const Profile& profile, std::span<const uint8_t> bytes) {
  if (bytes.size() <= profile.bytes_min) return bytes.size();
  const size_t last = std::min(bytes.size(), profile.bytes_max);
  return WindowMinimum(bytes.data(), profile.bytes_min, last);
}

size_t FixedCut(const Profile& profile, std::span<const uint8_t> bytes) {
  return std::min(bytes.size(), profile.bytes_max);
}

constexpr size_t kKibibyte = 1024;

// FastCDC's bounds as its authors advise: a quarter of the average and four times it, one level of
// normalization.
FastCdc FastCdcRule(const Profile& profile) {
  return FastCdcOf(profile.bytes_min, 4 * profile.bytes_min, profile.bytes_max, 1);
}

size_t FastCdc2016Of(const Profile& profile, std::span<const uint8_t> bytes) {
  return FastCdc2016Cut(FastCdcRule(profile), bytes);
}

size_t FastCdc2020Of(const Profile& profile, std::span<const uint8_t> bytes) {
  return FastCdc2020Cut(FastCdcRule(profile), bytes);
}

size_t CasyncCut(const Profile& profile, std::span<const uint8_t> bytes) {
  return BuzhashCut(BuzhashOf(4 * profile.bytes_min), bytes);
}

constexpr Profile kProfiles[] = {
    {"min8-64k", 32 * kKibibyte, 96 * kKibibyte, WindowMinimumCut},
    {"min8-16k", 8 * kKibibyte, 24 * kKibibyte, WindowMinimumCut},
    {"fixed-64k", 64 * kKibibyte, 64 * kKibibyte, FixedCut},
    {"fastcdc2016-16k", 4 * kKibibyte, 64 * kKibibyte, FastCdc2016Of},
    {"fastcdc2016-64k", 16 * kKibibyte, 256 * kKibibyte, FastCdc2016Of},
    {"fastcdc2020-16k", 4 * kKibibyte, 64 * kKibibyte, FastCdc2020Of},
    {"fastcdc2020-64k", 16 * kKibibyte, 256 * kKibibyte, FastCdc2020Of},
    {"buzhash-casync", 16 * kKibibyte, 256 * kKibibyte, CasyncCut},
};

}  // namespace

const Profile* FindProfile(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kProfiles), std::end(kProfiles),
                   [name](const Profile& profile) { return profile.name == name; });
  return found == std::end(kProfiles) ? nullptr : found;
}

}  // namespace gdo
