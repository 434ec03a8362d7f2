#include "store/named_ids.h"

#include <optional>

namespace gdo::store {
namespace {

constexpr int kNestingMax = 64;
constexpr size_t kHexDigits = 2 * kIdBytes;

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Goes through items; everything it reads is checked against the end first.
class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const StringVisitor& visit)
      : bytes_(bytes), visit_(visit) {}

  bool IsAtEnd() const { return at_ == bytes_.size(); }

  bool Item(std::string_view key, int nesting) {
    uint8_t major = 0;
    uint64_t argument = 0;
    if (nesting > kNestingMax || !Head(major, argument)) return false;
    switch (major) {
      case 2:
      case 3:
        return String(argument, [&](auto bytes) { visit_(key, major == 3, bytes); });
      case 4:
        for (uint64_t left = argument; left > 0; --left) {
          if (!Item(key, nesting + 1)) return false;
        }
        return true;
      case 5:
        return Map(argument, nesting);
      case 6:
        return Item(key, nesting + 1);
      default:
        return true;
    }
  }

 private:
  // Values, lengths and counts; of a float the bits.
  bool Head(uint8_t& major, uint64_t& argument) {
    if (IsAtEnd()) return false;
    const uint8_t first = bytes_[at_++];
    major = first >> 5;
    const unsigned low = first & 31;
    argument = low;
    if (low < 24) return true;
    if (low > 27) return false;  // Nothing of indefinite length is canonical.
    const size_t size = size_t{1} << (low - 24);
    if (bytes_.size() - at_ < size) return false;
    argument = 0;
    for (size_t byte = 0; byte < size; ++byte) argument = argument << 8 | bytes_[at_++];
    return true;
  }

  template <typename Take>
  bool String(uint64_t length, const Take& take) {
    if (bytes_.size() - at_ < length) return false;
    take(bytes_.subspan(at_, length));
    at_ += length;
    return true;
  }

  bool Map(uint64_t pairs, int nesting) {
    for (; pairs > 0; --pairs) {
      uint8_t major = 0;
      uint64_t length = 0;
      std::string_view key;
      if (!Head(major, length)) return false;
      if ((major == 2 || major == 3) && !String(length, [&](auto text) { key = TextOf(text); })) {
        return false;
      }
      if (major > 3 || !Item(key, nesting + 1)) return false;
    }
    return true;
  }

  const std::span<const uint8_t> bytes_;
  const StringVisitor& visit_;
  size_t at_ = 0;
};

std::optional<uint8_t> DigitOf(uint8_t character) {
  if (character >= '0' && character <= '9') return static_cast<uint8_t>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<uint8_t>(character - 'a' + 10);
  return std::nullopt;
}

void HexIdsIn(std::span<const uint8_t> text, const std::function<void(const ObjectId&)>& visit) {
  size_t run = 0;
  for (size_t end = 1; end <= text.size(); ++end) {
    run = DigitOf(text[end - 1]).has_value() ? run + 1 : 0;
    if (run < kHexDigits) continue;
    ObjectId id;
    const auto digits = text.subspan(end - kHexDigits, kHexDigits);
    for (size_t byte = 0; byte < kIdBytes; ++byte) {
      id[byte] =
          static_cast<uint8_t>(*DigitOf(digits[2 * byte]) << 4 | *DigitOf(digits[2 * byte + 1]));
    }
    visit(id);
  }
}

void IdsAnywhereIn(std::span<const uint8_t> bytes,
                   const std::function<void(const ObjectId&)>& visit) {
  for (size_t at = 0; at + kIdBytes <= bytes.size(); ++at) visit(LoadId(bytes.data() + at));
}

}  // namespace

bool VisitStrings(std::span<const uint8_t> bytes, const StringVisitor& visit) {
  Reader reader(bytes, visit);
  while (!reader.IsAtEnd()) {
    if (!reader.Item({}, 0)) return false;
  }
  return true;
}

bool TreeLinks(std::span<const uint8_t> node, std::vector<ObjectId>& out) {
  return VisitStrings(node, [&out](std::string_view key, bool is_text, auto bytes) {
    if (key == "i" && !is_text && bytes.size() == kIdBytes) out.push_back(LoadId(bytes.data()));
  });
}

void IdsNamedIn(std::span<const uint8_t> bytes, const std::function<void(const ObjectId&)>& visit) {
  const bool is_whole = VisitStrings(bytes, [&visit](auto, bool is_text, auto string) {
    if (is_text) {
      HexIdsIn(string, visit);
    } else {
      IdsAnywhereIn(string, visit);
      if (string.size() >= kHexDigits) HexIdsIn(string, visit);
    }
  });
  if (is_whole) return;
  IdsAnywhereIn(bytes, visit);
  HexIdsIn(bytes, visit);
}

}  // namespace gdo::store
