// The core's rates without Node.js. Each verb prints bytes a second on one thread.
//   store-core cut PROFILE FILE    cut points only, of a file in memory
//   store-core hash FILE           BLAKE3 of a mapped file, as b3sum reads it
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "core/blake3.h"
#include "core/profile.h"

namespace {

using Clock = std::chrono::steady_clock;

std::span<const uint8_t> Map(const char* path) {
  const int fd = open(path, O_RDONLY);
  struct stat status = {};
  if (fd < 0 || fstat(fd, &status) != 0) std::abort();
  const auto size = static_cast<size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) std::abort();
  return {static_cast<const uint8_t*>(bytes), size};
}

void Print(size_t size, Clock::time_point start, size_t count) {
  const std::chrono::duration<double> seconds = Clock::now() - start;
  std::printf("{\"rate\": %.0f, \"count\": %zu}\n", static_cast<double>(size) / seconds.count(),
              count);
}

int Cut(std::string_view name, std::span<const uint8_t> file) {
  const gdo::Profile* profile = gdo::FindProfile(name);
  if (profile == nullptr) return 1;
  const std::vector<uint8_t> copy(file.begin(),
                                  file.end());  // Page faults are not what is measured.
  const auto start = Clock::now();
  std::span<const uint8_t> left = copy;
  size_t count = 0;
  for (; !left.empty(); ++count) {
    left = left.subspan(
        profile->first_cut(*profile, left.first(std::min(left.size(), profile->bytes_max))));
  }
  Print(file.size(), start, count);
  return 0;
}

int Hash(std::span<const uint8_t> file) {
  const auto start = Clock::now();
  gdo::Blake3 hash = gdo::Blake3::Hash();
  hash.Update(file);
  Print(file.size(), start, hash.Finish()[0]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "cut" && argc == 4) return Cut(argv[2], Map(argv[3]));
  if (verb == "hash" && argc == 3) return Hash(Map(argv[2]));
  return 2;
}
