// Plain checks: the first that fails says where and ends the program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define EXPECT(condition)                                              \
  do {                                                                 \
    if (!(condition)) gdo::test::Fail(__FILE__, __LINE__, #condition); \
  } while (false)

namespace gdo::test {

[[noreturn]] inline void Fail(const char* file, int line, const char* what) {
  std::fprintf(stderr, "not ok: %s:%d: %s\n", file, line, what);
  std::fflush(nullptr);
  std::_Exit(1);
}

using Bytes = std::vector<uint8_t>;

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere, from a seed that a failure can
// name.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t word = state_ += 0x9E3779B97F4A7C15;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    return word ^ (word >> 31);
  }

  // Uniform enough in [0, limit).
  size_t Below(size_t limit) { return static_cast<size_t>(Next() % limit); }

  Bytes Take(size_t size) {
    Bytes bytes(size);
    uint64_t word = 0;
    for (size_t at = 0; at < size; ++at) {
      if (at % 8 == 0) word = Next();
      bytes[at] = static_cast<uint8_t>(word >> (8 * (at % 8)));
    }
    return bytes;
  }

 private:
  uint64_t state_;
};

void TestBlake3(const char* vectors_path);
void TestChunker();
void TestCrc32c();
void TestKernels();
void TestProfiles();

// The active kernel's name and a hash of the names of many chunks of known inputs, on one line.
void PrintDigest();
void TestWiegand();
void TestZstdCodec();
void TestZstdStream();

}  // namespace gdo::test
