// Tests of native/core without Node.js, built with sanitizers: core_tests BLAKE3-VECTORS
#include <cstdio>

#include "expect.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: core_tests BLAKE3-VECTORS\n", stderr);
    return 2;
  }
  gdo::test::TestBlake3(argv[1]);
  std::puts("ok 1 [T1] BLAKE3");
  gdo::test::TestChunker();
  std::puts("ok 2 [T2] chunker");
  gdo::test::TestCrc32c();
  std::puts("ok 3 [T7] [N2] CRC-32C");
  gdo::test::TestZstdCodec();
  std::puts("ok 4 [T10] zstd");
  gdo::test::TestWiegand();
  std::puts("ok 5 [N5] Wiegand");
  gdo::test::TestKernels();
  std::puts("ok 6 [N2] kernels");
  gdo::test::TestProfiles();
  std::puts("ok 7 [T2] profiles of others");
  return 0;
}
