// Where libFuzzer enters every fuzzer.
#include "stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  gdo::fuzz::Try(input);
  return 0;
}
