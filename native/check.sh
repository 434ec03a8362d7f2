#!/bin/sh
# Format and lint of the C++ sources: native/check.sh [clang-format|clang-tidy]; both without a word.
# Changes nothing; `clang-format -i` on the named file is the cure for the first. What clang-tidy has
# passed is not read again until it changes: see test/support/tidy.mjs.
set -eu

cd "$(dirname "$0")/.."

check_format() {
  find native test/native \( -name '*.cc' -o -name '*.h' \) -exec clang-format --dry-run -Werror {} +
}

check_tidy() {
  node test/support/tidy.mjs
}

case "${1:-all}" in
  clang-format) check_format ;;
  clang-tidy) check_tidy ;;
  all)
    check_format
    check_tidy
    ;;
  *)
    echo "usage: native/check.sh [clang-format|clang-tidy]" >&2
    exit 2
    ;;
esac
