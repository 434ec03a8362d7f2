// What the tests of the index share.
#pragma once

#include <string>

#include "expect.h"

namespace gdo::test {

void TestIndexPages();
void TestIndexFiles();
void TestIndex(const std::string& folder, uint64_t seed);

}  // namespace gdo::test
