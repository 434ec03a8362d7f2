#include "core/window_minimum.h"

#include "core/kernel.h"

namespace gdo {

size_t WindowMinimum(const uint8_t* bytes, size_t first, size_t last) {
  return ActiveKernel().window_minimum(bytes, first, last);
}

}  // namespace gdo
