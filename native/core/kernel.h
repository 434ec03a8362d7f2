// The inner loops, one set for each kind of processor, and the choice among them. Every set gives
// the same bits for every input [N2]; nothing else about them is fixed.
//
// A kernel's file is compiled for its processor and may run only there. It therefore touches
// nothing but raw pointers and what is in its own unnamed namespace: an inline function shared with
// other files could be linked from here into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gdo {

struct Kernel {
  std::string_view name;
  bool (*is_present)();  // Can this processor run it?

  // blake3_kernel.h tells what these do; chaining values are 8 words each.
  void (*hash_chunks)(const uint8_t* bytes, size_t count, const uint32_t* key, uint64_t counter,
                      uint32_t flags, uint32_t* out);
  void (*hash_parents)(const uint32_t* children, size_t count, const uint32_t* key, uint32_t flags,
                       uint32_t* out);

  // window_minimum.h tells what it does.
  size_t (*window_minimum)(const uint8_t* bytes, size_t first, size_t last);
};

extern const Kernel kScalarKernel;
#if defined(__x86_64__)
extern const Kernel kSse41Kernel;
extern const Kernel kAvx2Kernel;
extern const Kernel kAvx512Kernel;
#elif defined(__ARM_NEON) || defined(__arm__)
extern const Kernel kNeonKernel;
#endif

// All that are compiled in, plain one first, fastest last. Not all of them need be present.
std::span<const Kernel* const> Kernels();

struct KernelChoice {
  const Kernel* kernel;
  std::string fault;  // Empty unless `forced` names no kernel that is present.
};

// The kernel called `forced`; the fastest one present if that is null or empty.
KernelChoice ChooseKernel(const char* forced);

// What the environment variable GDO_KERNEL chooses, read once. Where the choice has a fault its
// kernel is still one that works: who starts the process must ask for the fault.
const KernelChoice& ActiveKernelChoice();
inline const Kernel& ActiveKernel() { return *ActiveKernelChoice().kernel; }

}  // namespace gdo
