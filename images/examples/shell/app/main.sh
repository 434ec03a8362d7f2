#!/bin/sh
# Calls of the host, a line of JSON each. The shell asks for the state that the entries need and keeps it
# in /scratch; what follows from it is rules.jq's business, which has no other input.
#
#   used/<member>  how much they have used      limit/<member>  how much they may, where it is not 100
here=$(dirname "$0")
scratch=${TMPDIR:-/scratch}

while IFS= read -r line; do
  printf '%s\n' "$line" >"$scratch/call"
  # The questions that the call needs answered, a line each; what comes back is kept.
  jq -c -L "$here" 'include "rules"; questions' "$scratch/call" >"$scratch/questions"
  : >"$scratch/replies"
  while IFS= read -r question <&3; do
    printf '%s\n' "$question"
    IFS= read -r reply
    printf '%s\n' "$reply" >>"$scratch/replies"
  done 3<"$scratch/questions"
  jq -c -L "$here" --slurpfile questions "$scratch/questions" --slurpfile replies "$scratch/replies" \
    'include "rules"; {jsonrpc: "2.0", id, result: answer(state($questions; $replies))}' "$scratch/call"
done
