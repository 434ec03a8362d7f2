// The index against a plain map, under random puts, drops, merges, reopenings and damage [T9]
// [T10].
#include "store/index.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "index_expect.h"
#include "store/pack_appender.h"
#include "store/pack_rows.h"

namespace gdo::test {
namespace {

using store::ObjectId;
using store::Place;

constexpr store::IndexLimits kSmall{.table_rows = 400, .tier_rows = 300};
constexpr size_t kRowsMax = 9000;  // Three groups of a run.

class World {
 public:
  World(std::string folder, uint64_t seed) : folder_(std::move(folder)), random_(seed) {
    std::filesystem::create_directories(folder_);
    Open();
  }

  void Step() {
    const size_t dice = random_.Below(100);
    if (dice < 60) return PutSome();
    if (dice < 85) return SealPack();
    if (dice < 88) return Drop();
    if (dice < 92) return Reopen();
    if (dice < 96) return Damage();
    Compare(*index_);
  }

  void CompareAll() {
    Compare(*index_);
    store::PackFiles packs(folder_);
    store::Index reader(folder_, packs, kSmall);
    AddUncovered(reader, reader.Load(false), packs);
    Compare(reader);
  }

 private:
  // Some ids begin alike, as hashes hardly ever do: then several blocks may hold one.
  ObjectId AnyId() {
    const Bytes bytes = random_.Take(store::kIdBytes);
    ObjectId id = store::LoadId(bytes.data());
    if (random_.Below(3) == 0) std::fill_n(id.begin(), 8, static_cast<uint8_t>(id[0] % 3));
    return id;
  }

  void PutSome() {
    for (size_t count = random_.Below(120); count > 0 && model_.size() < kRowsMax; --count) {
      Append(AnyId());
    }
    // One that was damaged is put again, and its later place counts.
    if (const auto id = HeldId(); id.has_value() && random_.Below(2) == 0) {
      index_->MarkDamaged(*id);
      EXPECT(!index_->Has(*id));
      Append(*id);
      EXPECT(index_->Has(*id));
    }
  }

  std::optional<ObjectId> HeldId() {
    if (model_.empty()) return std::nullopt;
    auto at = model_.lower_bound(AnyId());
    if (at == model_.end()) at = model_.begin();
    return at->first;
  }

  void Append(const ObjectId& id) {
    if (appender_ == nullptr) {
      store::PackState fresh;
      fresh.pack = ++last_pack_;
      const auto fault = store::PackAppender::Open(packs_->PathOf(last_pack_), fresh, appender_);
      EXPECT(!fault.has_value());
    }
    store::RecordHeader header;
    header.kind = store::ObjectKind::kChunk;
    header.raw_bytes = header.stored_bytes = static_cast<uint32_t>(random_.Below(9));
    header.id = id;
    Bytes record(header.RecordBytes());
    store::SealRecord(header, record);
    uint32_t offset = 0;
    EXPECT(!appender_->Append(id, record, offset).has_value());
    const Place place{appender_->Pack(), offset, static_cast<uint32_t>(record.size())};
    index_->Set(id, place);
    if (model_.contains(id)) doubled_.insert(id);
    model_[id] = place;
  }

  void SealPack() {
    if (appender_ != nullptr) {
      EXPECT(!appender_->Seal().has_value());
      index_->Seal(appender_->Pack(), appender_->EndBytes());
      sealed_.insert(appender_->Pack());
      appender_ = nullptr;
    }
    EXPECT(!index_->Flush(random_.Below(3) == 0).has_value());
  }

  // As gc does it: what is still needed is written anew first; here, half of it is.
  void Drop() {
    std::vector<uint32_t> dropped;
    for (const uint32_t pack : sealed_) {
      if (random_.Below(6) == 0) dropped.push_back(pack);
    }
    std::vector<ObjectId> held;
    for (const auto& [id, place] : model_) {
      if (std::count(dropped.begin(), dropped.end(), place.pack) > 0) held.push_back(id);
    }
    for (const ObjectId& id : held) {
      // An older record of it elsewhere might come to light again: what had one is kept.
      if (doubled_.contains(id) || model_[id].offset % 2 == 0) Append(id);
    }
    if (appender_ != nullptr) EXPECT(!appender_->Commit().has_value());
    index_->DropPacks(dropped);
    for (const uint32_t pack : dropped) {
      packs_->Forget(pack);
      unlink(packs_->PathOf(pack).c_str());
      sealed_.erase(pack);
    }
    std::erase_if(model_, [&](const auto& entry) {
      return std::count(dropped.begin(), dropped.end(), entry.second.pack) > 0;
    });
  }

  void Reopen() {
    if (appender_ != nullptr) {
      EXPECT(!appender_->Commit().has_value());
      // Not gone on with: the next pack is begun, and this one is read through from now on.
      appender_ = nullptr;
    }
    Open();
  }

  void Open() {
    index_ = nullptr;
    packs_ = std::make_unique<store::PackFiles>(folder_);
    index_ = std::make_unique<store::Index>(folder_, *packs_, kSmall);
    const std::vector<uint32_t> covered = index_->Load(true);
    AddUncovered(*index_, covered, *packs_);
    for (const uint32_t pack : sealed_) {
      if (std::binary_search(covered.begin(), covered.end(), pack)) continue;
      uint64_t bytes = 0;
      EXPECT(!packs_->Size(pack, bytes).has_value());
      index_->Seal(pack, bytes);
    }
  }

  void AddUncovered(store::Index& index, const std::vector<uint32_t>& covered,
                    store::PackFiles& packs) {
    if (appender_ != nullptr) EXPECT(!appender_->Commit().has_value());
    for (uint32_t pack = 1; pack <= last_pack_; ++pack) {
      if (access(packs.PathOf(pack).c_str(), F_OK) != 0) continue;
      if (std::binary_search(covered.begin(), covered.end(), pack)) continue;
      const auto add = [&](const store::FooterEntry& entry) {
        index.Set(entry.id, {pack, entry.offset, entry.record_bytes});
      };
      EXPECT(!ReadPackEntries(packs, pack, add).has_value());
    }
  }

  // Something happens to a file of the index, whether it is open or not.
  void Damage() {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/index", none)) {
      files.push_back(entry.path());
    }
    if (files.empty()) return;
    std::sort(files.begin(), files.end());
    const std::string path = files[random_.Below(files.size())];
    const size_t size = std::filesystem::file_size(path);
    const size_t dice = random_.Below(6);
    if (dice == 0) {
      std::filesystem::remove(path);
    } else if (dice == 1) {
      std::filesystem::resize_file(path, random_.Below(size));
    } else {
      Flip(path, random_.Below(size));
      // A file that no manifest names any more is none of its own.
      EXPECT(!IsNamed(path) || !index_->Verify().empty());
    }
    if (random_.Below(2) == 0) Compare(*index_);
    if (random_.Below(2) == 0) Reopen();
  }

  bool IsNamed(const std::string& path) {
    if (path.ends_with("manifest")) return true;
    store::Manifest manifest;
    if (store::ReadManifest(folder_ + "/index/manifest", manifest).has_value()) return false;
    return std::any_of(manifest.runs.begin(), manifest.runs.end(), [&](const auto& run) {
      return std::stoul(std::filesystem::path(path).stem(), nullptr, 16) == run.number;
    });
  }

  void Flip(const std::string& path, size_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ (1 << random_.Below(8))));
    EXPECT(file.good());
  }

  void Compare(store::Index& index) {
    for (const auto& [id, place] : model_) {
      EXPECT(index.Find(id) == place);
      EXPECT(index.Has(id));
    }
    for (int count = 0; count < 500; ++count) {
      const ObjectId id = AnyId();
      EXPECT(index.Find(id).has_value() == model_.contains(id));
    }
    EXPECT(index.Count() == model_.size());
    ExpectIdsFrom(index, {});
    ExpectIdsFrom(index, AnyId());
    EXPECT(!index.Hidden().has_value());
  }

  void ExpectIdsFrom(const store::Index& index, const ObjectId& from) {
    const size_t part = 1 + random_.Below(3000);
    auto expected = model_.lower_bound(from);
    ObjectId next = from;
    for (;;) {
      const std::vector<ObjectId> ids = index.Ids(next, part);
      for (const ObjectId& id : ids) {
        EXPECT(expected != model_.end() && expected->first == id);
        ++expected;
      }
      if (ids.size() < part) break;
      next = ids.back();
      for (size_t at = next.size(); at > 0 && ++next[at - 1] == 0;) --at;
    }
    EXPECT(expected == model_.end());
  }

  const std::string folder_;
  Random random_;
  uint32_t last_pack_ = 0;
  std::set<uint32_t> sealed_;
  std::map<ObjectId, Place> model_;
  std::set<ObjectId> doubled_;
  std::unique_ptr<store::PackFiles> packs_;
  std::unique_ptr<store::Index> index_;
  std::unique_ptr<store::PackAppender> appender_;
};

}  // namespace

void TestIndex(const std::string& folder, uint64_t seed) {
  for (uint64_t round = 0; round < 2; ++round) {
    const std::string place = folder + "/" + std::to_string(round);
    World world(place, seed * 1000 + round);
    for (int step = 0; step < 150; ++step) {
      world.Step();
      if (step % 50 == 49) world.CompareAll();
    }
    std::filesystem::remove_all(place);
  }
}

}  // namespace gdo::test
