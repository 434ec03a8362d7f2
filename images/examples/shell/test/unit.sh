#!/bin/sh
# Unit test, without a container: the rules alone, as jq sees them.
here=$(dirname "$0")
call='{"method":"reduce","params":{"entries":[
  {"id":"1","principal":"ada","rights":[],"acts":[["use",{"amount":60}]]},
  {"id":"2","principal":"ada","rights":[],"acts":[["use",{"amount":60}]]}]}}'
want='{"outcomes":[{"id":"1","events":[{"type":"used","member":"ada","total":60}]},{"id":"2","void":"use: ada has used 60 of 100"}],"changes":[["used/ada",60]]}'
got=$(printf '%s' "$call" | jq -c -L "$here/../app" 'include "rules"; answer({})')
[ "$got" = "$want" ] || { printf 'wanted %s\ngot    %s\n' "$want" "$got"; exit 1; }
