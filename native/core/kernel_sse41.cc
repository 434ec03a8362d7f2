// x86-64 with SSE 4.1: four lanes.
#include <immintrin.h>

#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/window_lanes.h"

namespace gdo {
namespace {

struct Ops {
  static constexpr size_t kLanes = 4;
  using Word = VectorWord<kLanes>::Type;

  static inline bool HasAbove(Word a, Word limit) {
    const auto is_not = reinterpret_cast<__m128i>((a > limit ? a : limit) == limit);
    return _mm_movemask_epi8(is_not) != 0xFFFF;
  }
};

using Blake3Kernel = blake3::Blake3Widths<4, 1>;

}  // namespace

const Kernel kSse41Kernel = {
    "sse41", [] { return static_cast<bool>(__builtin_cpu_supports("sse4.1")); },
    Blake3Kernel::HashChunks, Blake3Kernel::HashParents, WindowLanes<Ops>::Minimum};

}  // namespace gdo
