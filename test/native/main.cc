// Tests of native/core without Node.js, built with sanitizers: core_tests BLAKE3-VECTORS
// What the active kernel computes, for a comparison across processors: core_tests --digest
#include <cstdio>
#include <cstring>

#include "expect.h"

namespace {

void TestAll(const char* vectors_path) {
  gdo::test::TestBlake3(vectors_path);
  std::puts("ok 1 [T1] BLAKE3");
  gdo::test::TestChunker();
  std::puts("ok 2 [T2] chunker");
  gdo::test::TestCrc32c();
  std::puts("ok 3 [T7] [N2] CRC-32C");
#if !defined(GDO_NO_ZSTD)
  gdo::test::TestZstdCodec();
  gdo::test::TestZstdStream();
  std::puts("ok 4 [T10] zstd");
#endif
  gdo::test::TestWiegand();
  std::puts("ok 5 [N5] Wiegand");
  gdo::test::TestKernels();
  std::puts("ok 6 [N2] kernels");
  gdo::test::TestProfiles();
  std::puts("ok 7 [T2] profiles of others");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: core_tests BLAKE3-VECTORS | --digest\n", stderr);
    return 2;
  }
  if (std::strcmp(argv[1], "--digest") == 0) {
    gdo::test::PrintDigest();
  } else {
    TestAll(argv[1]);
  }
  return 0;
}
