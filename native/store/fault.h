// What can go wrong in the store, told by value.
#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

namespace gdo::store {

struct Fault {
  enum class Kind {
    kSystem,   // The operating system refused; error_number says why.
    kCorrupt,  // Bytes are not what their id, or their form, says [T10].
    kMissing,  // An object is not in the store.
    kInvalid,  // An object is of another kind than asked for.
    kAborted,  // The caller wanted no more.
    kClosed,   // The store is closed, or must be opened anew.
  };

  Kind kind;
  int error_number = 0;
  std::string what;  // Reads like "cannot write PATH".
};

// Empty is success.
using Outcome = std::optional<Fault>;

inline Fault SystemFault(std::string what) {
  return {Fault::Kind::kSystem, errno, std::move(what)};
}

// Tries again what finds a pack gone: what it looked for has been moved since it asked for its
// place [T11]. Where it has not, the fault stays.
template <typename Attempt>
Outcome WhereItLies(const Attempt& attempt) {
  constexpr int kAttemptsMax = 4;
  Outcome fault = attempt();
  for (int again = 1; again < kAttemptsMax; ++again) {
    if (!fault.has_value() || fault->kind != Fault::Kind::kSystem) break;
    if (fault->error_number != ENOENT) break;
    fault = attempt();
  }
  return fault;
}

inline Fault Corrupt(std::string what) { return {Fault::Kind::kCorrupt, 0, std::move(what)}; }

}  // namespace gdo::store
