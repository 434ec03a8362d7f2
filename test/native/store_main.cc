// Tests of native/store without Node.js, built with sanitizers: store_tests FOLDER
// The folder is empty, and is left with what the tests made.
#include <cstdio>

#include "store_expect.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: store_tests FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = argv[1];
  gdo::test::TestRecords();
  std::puts("ok 1 [T7] records and footers");
  gdo::test::TestPayloads();
  std::puts("ok 2 [T6] [T10] payloads");
  gdo::test::TestPackAppender(folder);
  std::puts("ok 3 [T8] appending to a pack");
  gdo::test::TestObjectStore(folder);
  std::puts("ok 4 [T10] objects");
  gdo::test::TestPipeline(folder);
  std::puts("ok 5 [T2] [T6] files through all threads");
  gdo::test::TestReadersBesideWriter(folder);
  std::puts("ok 6 [T10] readers beside the writer");
  return 0;
}
