#include "core/blake3.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "expect.h"

namespace gdo::test {
namespace {

constexpr std::string_view kKey = "whats the Elvish word for friend";
constexpr std::string_view kContext = "BLAKE3 2019-12-27 16:29:52 test vectors context";
constexpr int kVectors = 3 * 35;

Bytes Counting(size_t size) {
  Bytes bytes(size);
  for (size_t at = 0; at < size; ++at) bytes[at] = static_cast<uint8_t>(at % 251);
  return bytes;
}

Blake3 InMode(const std::string& mode) {
  if (mode == "hash") return Blake3::Hash();
  if (mode == "derive") return Blake3::DeriveKey(kContext);
  EXPECT(mode == "keyed");
  std::array<uint8_t, 32> key;
  std::copy(kKey.begin(), kKey.end(), key.begin());
  return Blake3::Keyed(key);
}

std::string HexOutput(const Blake3& hash, size_t size) {
  Bytes out(size);
  hash.Finish(out);
  std::string hex;
  for (const uint8_t byte : out) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

void OfficialVectors(const char* path) {
  std::ifstream file(path);
  int seen = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    size_t length = 0;
    std::string mode;
    std::string expected;
    fields >> length >> mode >> expected;
    Blake3 hash = InMode(mode);
    hash.Update(Counting(length));
    EXPECT(HexOutput(hash, expected.size() / 2) == expected);
    ++seen;
  }
  EXPECT(seen == kVectors);
}

// Fed in pieces of any size, with a look at the digest in between, the result stays that of the
// whole.
void AnySplitHashesAlike() {
  Random random(1);
  for (int round = 0; round < 400; ++round) {
    const Bytes bytes = random.Take(random.Below(200'000));
    Blake3 whole = Blake3::Hash();
    whole.Update(bytes);
    Blake3 pieces = Blake3::Hash();
    const size_t piece_max = size_t{1} << (1 + random.Below(18));
    for (std::span<const uint8_t> rest = bytes; !rest.empty();) {
      const size_t size = std::min(rest.size(), random.Below(piece_max) + 1);
      pieces.Update(rest.first(size));
      rest = rest.subspan(size);
      if (random.Below(8) == 0) (void)pieces.Finish();
    }
    EXPECT(pieces.Finish() == whole.Finish());
  }
}

// Every kernel width against the chunk-by-chunk path, which one-byte pieces force.
void EveryChunkCount() {
  for (size_t chunks = 0; chunks <= 40; ++chunks) {
    for (const size_t more : {size_t{0}, size_t{1}, size_t{1023}}) {
      const Bytes bytes = Counting(chunks * blake3::kChunkBytes + more);
      Blake3 whole = Blake3::Hash();
      whole.Update(bytes);
      Blake3 single = Blake3::Hash();
      for (const uint8_t& byte : bytes) single.Update({&byte, 1});
      EXPECT(single.Finish() == whole.Finish());
    }
  }
}

}  // namespace

void TestBlake3(const char* vectors_path) {
  OfficialVectors(vectors_path);
  AnySplitHashesAlike();
  EveryChunkCount();
}

}  // namespace gdo::test
