// ARM with NEON: four lanes. Every 64-bit ARM has it; of the 32-bit ones, those that say so.
#include <arm_neon.h>
#if defined(__arm__)
#include <sys/auxv.h>
#endif

#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/window_lanes.h"

namespace gdo {
namespace {

struct Ops {
  static constexpr size_t kLanes = 4;
  using Word = VectorWord<kLanes>::Type;

  static inline bool HasAbove(Word a, Word limit) {
    const uint32x4_t above =
        vcgtq_u32(reinterpret_cast<uint32x4_t>(a), reinterpret_cast<uint32x4_t>(limit));
    const uint64x2_t halves = vreinterpretq_u64_u32(above);
    return (vgetq_lane_u64(halves, 0) | vgetq_lane_u64(halves, 1)) != 0;
  }
};

bool IsPresent() {
#if defined(__arm__)
  constexpr unsigned long kNeonBit = 1UL << 12;  // HWCAP_NEON of the kernel's asm/hwcap.h.
  return (getauxval(AT_HWCAP) & kNeonBit) != 0;
#else
  return true;
#endif
}

using Blake3Kernel = blake3::Blake3Widths<4, 1>;

}  // namespace

const Kernel kNeonKernel = {"neon", IsPresent, Blake3Kernel::HashChunks, Blake3Kernel::HashParents,
                            WindowLanes<Ops>::Minimum};

}  // namespace gdo
