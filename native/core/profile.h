// Chunking profiles: a name, bounds and the rule that finds one cut. A profile never changes under
// its name, since cuts are part of what a blob's id stands for [T2].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gdo {

struct Profile {
  // Length of the first chunk of `bytes`. `bytes` begins at the previous cut and holds bytes_max
  // bytes, or fewer (not none) where the input ends.
  using FirstCut = size_t (*)(const Profile& profile, std::span<const uint8_t> bytes);

  std::string_view name;
  size_t bytes_min;
  size_t bytes_max;
  FirstCut first_cut;
};

// Null when there is no such profile.
const Profile* FindProfile(std::string_view name);

}  // namespace gdo
