#include "core/profile.h"

#include <algorithm>

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

constexpr Profile kProfiles[] = {
    {"min8-64k", 32 * kKibibyte, 96 * kKibibyte, WindowMinimumCut},
    {"min8-16k", 8 * kKibibyte, 24 * kKibibyte, WindowMinimumCut},
    {"fixed-64k", 64 * kKibibyte, 64 * kKibibyte, FixedCut},
};

}  // namespace

const Profile* FindProfile(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kProfiles), std::end(kProfiles),
                   [name](const Profile& profile) { return profile.name == name; });
  return found == std::end(kProfiles) ? nullptr : found;
}

}  // namespace gdo
