#!/bin/sh
# What a day must come to, read from the access list and the day file alone, with none of gdo's code
# and none of its language: one line a reader, "READER FRAMES GRANTED DENIED ERRORS WITHIN", where WITHIN
# counts the frames from FROM_MS up to TO_MS.
# usage: independent-counts.sh ACL DAY FROM_MS TO_MS
set -eu
acl=$1 day=$2 from=$3 to=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Digests whose every row says exactly "allowed"; other rows and conflicting ones open nothing.
case $acl in
*.json) awk '/^"tagid": /{gsub(/[",]/, "", $2); tag = $2} /^"allowed": /{gsub(/[",]/, "", $2); print tag, $2}' "$acl" ;;
*) awk -F, 'NR > 1 && NF == 6 && !/"/ {print $5, $4}' "$acl" ;;
esac >"$work/rows"
awk 'length($1) == 56 && $1 !~ /[^0-9a-f]/ {if ($2 != "allowed") bad[$1] = 1; seen[$1] = 1}
  END {for (tag in seen) if (!(tag in bad)) print tag}' "$work/rows" | sort >"$work/allowed"

# 2. Each frame as "reader within number", or "-" for the number where length or parity is wrong.
sed 's/.*"at_ms": *\([0-9]*\).*"reader": *"\([^"]*\)".*"bits": *"\([01]*\)".*/\1 \2 \3/' "$day" |
  awk -v from="$from" -v to="$to" '{
    bits = $3; number = 0; left = 0; right = 0
    for (i = 2; i <= 25; i++) {
      bit = substr(bits, i, 1)
      number = number * 2 + bit
      if (i <= 13) left += bit; else right += bit
    }
    good = length(bits) == 26 && (left + substr(bits, 1, 1)) % 2 == 0 && (right + substr(bits, 26, 1)) % 2 == 1
    print $2, ($1 >= from && $1 < to), (good ? sprintf("%010d", number) : "-")
  }' >"$work/frames"

# 3. Numbers whose digest is allowed.
awk '$3 != "-" {print $3}' "$work/frames" | sort -u | while read -r number; do
  digest=$(printf %s "$number" | sha224sum)
  echo "${digest%% *} $number"
done | sort >"$work/digests"
join "$work/digests" "$work/allowed" | awk '{print $2}' >"$work/open"

# 4. Count.
awk -v open="$work/open" 'BEGIN {while ((getline number <open) > 0) opens[number] = 1}
  {frames[$1]++; within[$1] += $2}
  $3 == "-" {errors[$1]++; next}
  $3 in opens {granted[$1]++; next}
  {denied[$1]++}
  END {for (r in frames) print r, frames[r], granted[r] + 0, denied[r] + 0, errors[r] + 0, within[r] + 0}' "$work/frames" | sort
