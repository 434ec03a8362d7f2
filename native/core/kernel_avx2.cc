// x86-64 with AVX2: eight lanes.
#include <immintrin.h>

#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/window_lanes.h"

namespace gdo {
namespace {

struct Ops {
  static constexpr size_t kLanes = 8;
  using Word = VectorWord<kLanes>::Type;

  static inline bool HasAbove(Word a, Word limit) {
    const auto is_not = reinterpret_cast<__m256i>((a > limit ? a : limit) == limit);
    return _mm256_movemask_epi8(is_not) != -1;
  }
};

using Blake3Kernel = blake3::Blake3Widths<8, 4, 1>;

}  // namespace

const Kernel kAvx2Kernel = {
    "avx2", [] { return static_cast<bool>(__builtin_cpu_supports("avx2")); },
    Blake3Kernel::HashChunks, Blake3Kernel::HashParents, WindowLanes<Ops>::Minimum};

}  // namespace gdo
