#include "core/window_minimum.h"

namespace gdo {

size_t WindowMinimum(const uint8_t* bytes, size_t first, size_t last) {
  size_t best = last;
  uint32_t least = kWindowHashMax;
  for (size_t position = first; position < last; ++position) {
    const uint32_t hash = WindowHash(bytes + position);
    if (hash < least) {
      least = hash;
      best = position;
    }
  }
  return best;
}

std::string_view WindowKernelName() { return "scalar"; }

}  // namespace gdo
