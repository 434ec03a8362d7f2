// What the tests of native/store share.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "expect.h"
#include "store/file.h"
#include "store/object_store.h"

namespace gdo::test {

void TestRecords();
void TestPayloads();
void TestPackAppender(const std::string& above);
void TestObjectStore(const std::string& above);
void TestPipeline(const std::string& above);
void TestReadersBesideWriter(const std::string& above);

inline std::string NewFolder(const std::string& above, const char* name) {
  std::string path = above + "/" + name;
  EXPECT(mkdir(path.c_str(), 0700) == 0);
  return path;
}

inline store::File NewFile(const std::string& path) {
  store::File file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  EXPECT(file.IsOpen());
  return file;
}

inline Bytes ContentOf(const store::File& file) {
  struct stat stats = {};
  EXPECT(fstat(file.Fd(), &stats) == 0);
  Bytes bytes(static_cast<size_t>(stats.st_size));
  EXPECT(store::ReadAt(file.Fd(), bytes, 0) == stats.st_size);
  return bytes;
}

inline Bytes ContentOf(const std::string& path) {
  return ContentOf(store::File(open(path.c_str(), O_RDONLY | O_CLOEXEC)));
}

inline store::ObjectId ChunkId(std::span<const uint8_t> bytes) {
  return store::NameOf(store::ObjectKind::kChunk, bytes);
}

}  // namespace gdo::test
