#!/bin/sh
# Format and lint of the C++ sources: native/check.sh [clang-format|clang-tidy]; both without a word.
# Changes nothing; `clang-format -i` on the named file is the cure for the first. clang-tidy takes
# seconds for a file, so one that passed is not read again until it, a header or the rules change.
set -eu

cd "$(dirname "$0")/.."
stamps=build/tidy

sources() {
  find native test/native -name '*.cc'
}

check_format() {
  find native test/native \( -name '*.cc' -o -name '*.h' \) -exec clang-format --dry-run -Werror {} +
}

stamp_of() {
  echo "$stamps/$(echo "$1" | tr / _).ok"
}

# What has changed since `$1` passed: nothing, if this prints nothing and there is a stamp.
changes_since_stamp() {
  find .clang-tidy native test/native -newer "$(stamp_of "$1")" \
    \( -path "$1" -o -name '*.h' -o -name .clang-tidy -o -name check.sh \)
}

sources_to_read() {
  for source in $(sources); do
    if [ ! -e "$(stamp_of "$source")" ] || [ -n "$(changes_since_stamp "$source")" ]; then
      echo "$source"
    fi
  done
}

# The flags are those of CMakeLists.txt as far as they matter to a linter. The headers of Node-API
# count as the system's: their style is not ours to judge. The count of warnings in them is left out.
tidy() {
  started=$(mktemp)
  status=0
  # In the glue the analyzer would mostly follow paths of node-addon-api.
  case "$1" in
    native/core/* | native/store/* | native/guardian/* | native/stage/* | test/*) checks='' ;;
    *) checks='-clang-analyzer-*' ;;
  esac
  case "$1" in
    *_avx512.cc) target='-mavx512f -mavx512vl' ;;
    *_avx2.cc) target=-mavx2 ;;
    *_sse41.cc) target=-msse4.1 ;;
    *_neon.cc) target='--target=aarch64-linux-gnu' ;;
    *) target='' ;;
  esac
  # shellcheck disable=SC2086
  clang-tidy --quiet "--checks=$checks" "$1" -- -std=c++20 -Inative $target \
    -isystem node_modules/node-api-headers/include -isystem node_modules/node-addon-api \
    -DNAPI_VERSION=9 -DNAPI_DISABLE_CPP_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED \
    >"$started.out" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    touch -r "$started" "$(stamp_of "$1")"
  else
    grep -v ' warnings generated.$' "$started.out" >&2
  fi
  rm "$started" "$started.out"
  return "$status"
}

check_tidy() {
  mkdir -p "$stamps"
  sources_to_read | xargs -r -n 1 -P 2 sh native/check.sh clang-tidy-file
}

case "${1:-all}" in
  clang-format) check_format ;;
  clang-tidy) check_tidy ;;
  clang-tidy-file) tidy "$2" ;;
  all)
    check_format
    check_tidy
    ;;
  *)
    echo "usage: native/check.sh [clang-format|clang-tidy]" >&2
    exit 2
    ;;
esac
