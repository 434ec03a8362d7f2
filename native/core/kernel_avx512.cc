// x86-64 with AVX-512 F and VL: sixteen lanes.
#include <immintrin.h>

#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/window_lanes.h"

namespace gdo {
namespace {

struct Ops {
  static constexpr size_t kLanes = 16;
  using Word = VectorWord<kLanes>::Type;

  static inline bool HasAbove(Word a, Word limit) {
    return _mm512_cmpgt_epu32_mask(reinterpret_cast<__m512i>(a),
                                   reinterpret_cast<__m512i>(limit)) != 0;
  }
};

bool IsPresent() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"); }

using Blake3Kernel = blake3::Blake3Widths<16, 4, 1>;

}  // namespace

const Kernel kAvx512Kernel = {"avx512", IsPresent, Blake3Kernel::HashChunks,
                              Blake3Kernel::HashParents, WindowLanes<Ops>::Minimum};

}  // namespace gdo
