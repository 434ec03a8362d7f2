#!/bin/sh
# Unit test, without a container: the rules alone, in a program of their own.
set -e
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cc -std=c11 -Wall -Wextra -o "$out/rules" "$here/rules.c" "$here/../src/quota.c"
"$out/rules"
