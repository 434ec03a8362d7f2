// Plain code for every processor, and what all other kernels are compared with [N2].
#include "core/blake3_lanes.h"
#include "core/kernel.h"
#include "core/window_hash.h"

namespace gdo {

const Kernel kScalarKernel = {"scalar", [] { return true; }, blake3::Blake3Widths<1>::HashChunks,
                              blake3::Blake3Widths<1>::HashParents, ScalarMinimum};

}  // namespace gdo
