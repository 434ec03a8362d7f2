#include "core/kernel.h"

#include <cstdlib>

namespace gdo {
namespace {

constexpr const Kernel* kKernels[] = {
    &kScalarKernel,
#if defined(__x86_64__)
    &kSse41Kernel,
    &kAvx2Kernel,
    &kAvx512Kernel,
#elif defined(__ARM_NEON) || defined(__arm__)
    &kNeonKernel,
#endif
};

std::string PresentNames() {
  std::string names;
  for (const Kernel* const kernel : kKernels) {
    if (!kernel->is_present()) continue;
    if (!names.empty()) names += ", ";
    names += kernel->name;
  }
  return names;
}

}  // namespace

std::span<const Kernel* const> Kernels() { return kKernels; }

KernelChoice ChooseKernel(const char* forced) {
  const std::string_view wanted = forced == nullptr ? "" : forced;
  const Kernel* fastest = nullptr;
  for (const Kernel* const kernel : kKernels) {
    if (!kernel->is_present()) continue;
    if (kernel->name == wanted) return {kernel, ""};
    fastest = kernel;
  }
  if (wanted.empty()) return {fastest, ""};
  return {fastest, "GDO_KERNEL=" + std::string(wanted) +
                       ": no such kernel on this processor; it has " + PresentNames()};
}

const KernelChoice& ActiveKernelChoice() {
  // Read once, and nothing in this process writes the environment.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  static const KernelChoice choice = ChooseKernel(std::getenv("GDO_KERNEL"));
  return choice;
}

}  // namespace gdo
