// Ids that canonical bytes (CBOR, one item or several in a row) name. Pure.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "store/object_id.h"

namespace gdo::store {

// Told each byte string and text, with the key of the innermost map that it is a value in; keys
// are not told.
using StringVisitor =
    std::function<void(std::string_view key, bool is_text, std::span<const uint8_t> bytes)>;

// False when the bytes are not such items.
bool VisitStrings(std::span<const uint8_t> bytes, const StringVisitor& visit);

// What a folder's node needs; nothing when it is no such node.
bool TreeLinks(std::span<const uint8_t> node, std::vector<ObjectId>& out);

// Everything that could be an id: rather too much than too little. 32 bytes, wherever they stand in
// a longer byte string, and 64 hex digits in a text.
void IdsNamedIn(std::span<const uint8_t> bytes, const std::function<void(const ObjectId&)>& visit);

}  // namespace gdo::store
