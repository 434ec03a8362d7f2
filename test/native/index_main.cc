// Tests of the index without Node.js, built with sanitizers: index_tests FOLDER [SEED]
#include <cstdio>
#include <cstdlib>

#include "index_expect.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: index_tests FOLDER [SEED]\n", stderr);
    return 2;
  }
  const uint64_t seed = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 1;
  gdo::test::TestIndexPages();
  std::puts("ok 1 [T9] pages of a run");
  gdo::test::TestIndexFiles();
  std::puts("ok 2 [T9] [T10] a run's end, and manifests");
  gdo::test::TestIndex(argv[1], seed);
  std::puts("ok 3 [T9] [T10] the index against a map");
  return 0;
}
