// What a pack holds, from its footer where that is sound, else by reading it through: the truth
// that an index is mended from [T9].
#pragma once

#include <functional>

#include "store/fault.h"
#include "store/pack_files.h"
#include "store/record.h"

namespace gdo::store {

using VisitEntry = std::function<void(const FooterEntry&)>;

// kSystem or kCorrupt only where the file cannot be read.
Outcome ReadPackEntries(PackFiles& files, uint32_t pack, const VisitEntry& visit);

}  // namespace gdo::store
