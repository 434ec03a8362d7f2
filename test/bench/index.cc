// The store's index at the size of a terabyte, through the calls that a writer makes:
//   bench_index FOLDER [IDS]     builds it where FOLDER/index is absent, then opens and asks it
#include "store/index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;
using gdo::store::ObjectId;

constexpr uint32_t kRowsPerPack = 2048;  // 1 TB in packs of 128 MiB.
constexpr size_t kAsked = 1000000;

// SplitMix64 (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t word) {
  word += 0x9E3779B97F4A7C15;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
  return word ^ (word >> 31);
}

ObjectId IdOf(uint64_t number) {
  ObjectId id;
  for (size_t word = 0; word < 4; ++word) {
    const uint64_t bits = Mix(number * 4 + word);
    std::memcpy(id.data() + word * 8, &bits, sizeof bits);
  }
  return id;
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Resident memory of the process, private and mapped pages alike, in MB.
double ResidentMb() {
  std::ifstream status("/proc/self/statm");
  long pages = 0;
  status >> pages >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Packs of which only the size is looked at, and the rows that they would have.
void Build(const std::string& folder, uint64_t ids) {
  gdo::store::PackFiles packs(folder);
  gdo::store::Index index(folder, packs);
  static_cast<void>(index.Load(true));
  const auto start = Clock::now();
  for (uint64_t number = 0; number < ids; ++number) {
    const auto pack = static_cast<uint32_t>(number / kRowsPerPack) + 1;
    const auto row = static_cast<uint32_t>(number % kRowsPerPack);
    index.Set(IdOf(number), {pack, row * 60000 + 32, 60000});
    if (row + 1 < kRowsPerPack && number + 1 < ids) continue;
    std::ofstream(packs.PathOf(pack)).put('p');
    index.Seal(pack, 1);
    if (index.Flush(number + 1 == ids).has_value()) std::abort();
  }
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/index")) {
    bytes += entry.file_size();
  }
  std::ifstream io("/proc/self/io");
  std::string key;
  uint64_t written = 0;
  while (io >> key >> written && key != "wchar:") {
  }
  std::printf(
      "build      %.1f s, %.1f bytes an id on disk, %.1f bytes an id written, %.1f MB peak\n",
      SecondsSince(start), static_cast<double>(bytes) / static_cast<double>(ids),
      static_cast<double>(written) / static_cast<double>(ids), ResidentMb());
}

void Ask(gdo::store::Index& index, const char* what, uint64_t first, uint64_t range, bool is_held) {
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    const std::clock_t processor = std::clock();
    size_t found = 0;
    for (uint64_t count = 0; count < kAsked; ++count) {
      const uint64_t number = first + Mix(count + static_cast<uint64_t>(round) * kAsked) % range;
      found += index.Find(IdOf(number)).has_value() ? 1 : 0;
    }
    const double seconds = SecondsSince(start);
    if (found != (is_held ? kAsked : 0)) std::abort();
    const double used = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
    std::printf("%-10s %.2f us each of %zu at random, %.2f us of them processor time\n", what,
                seconds * 1e6 / kAsked, kAsked, used * 1e6 / kAsked);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: bench_index FOLDER [IDS]\n", stderr);
    return 2;
  }
  const std::string folder = argv[1];
  const uint64_t ids = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 16777216;
  std::filesystem::create_directories(folder);
  if (!std::filesystem::exists(folder + "/index")) {
    Build(folder, ids);
    return 0;
  }
  const double bare = ResidentMb();
  gdo::store::PackFiles packs(folder);
  gdo::store::Index index(folder, packs);
  const auto start = Clock::now();
  const size_t covered = index.Load(false).size();
  const double seconds = SecondsSince(start);
  std::printf("open       %.1f ms, %zu packs covered, %zu ids, %.1f MB above bare\n", seconds * 1e3,
              covered, index.Count(), ResidentMb() - bare);
  Ask(index, "held", 0, ids, true);
  Ask(index, "not held", uint64_t{1} << 40, uint64_t{1} << 40, false);
  std::printf("resident   %.1f MB above bare, every summary read\n", ResidentMb() - bare);
  return 0;
}
