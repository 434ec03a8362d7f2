// The inner loop of window-minimum chunking: where in a range is the hash of the last 8 bytes
// least? window_hash.h has the formula.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gdo {

// The position in [first, last) with the least hash; of several, the first with the least rank;
// `last` if no hash is below the maximum. `first` is at least kRankBytes. Reads
// [first - kRankBytes, last).
size_t WindowMinimum(const uint8_t* bytes, size_t first, size_t last);

}  // namespace gdo
