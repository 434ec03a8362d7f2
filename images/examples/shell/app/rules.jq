# Everybody may use so much of something, and no more. The input is a call of the host.

# What to ask the host, as it is asked.
def questions:
  (if .method == "test" then "after" else "now" end) as $view
  | [(if .method == "query" then .params.args
      elif .method == "command" then .params.actor.principal
      else .params.entries[] | .principal, (.acts[] | select(.[0] == "limit") | .[1].member)
      end) | "used/\(.)", "limit/\(.)"]
  | unique[] | {jsonrpc: "2.0", id: ., method: "get", params: {view: $view, key: .}};

# The state that the host told, by key.
def state($questions; $replies):
  [$questions, $replies] | transpose | map({(.[0].params.key): .[1].result}) | add // {};

# What a member has used, and may use, by a state.
def used($member): .["used/\($member)"] // 0;
def limit($member): .["limit/\($member)"] as $set | if $set == null then 100 else $set end;
def why_full($member; $who): "\($who) used \(used($member)) of \(limit($member))";

# One act on {state, changes, events, void}: `void` says why the entry counts for nothing.
def act($entry; $type; $body):
  if .void then .
  elif $type == "use" then
    ($entry.principal) as $member | (.state | used($member)) as $before |
    if $before + $body.amount > (.state | limit($member)) then
      .void = "use: " + (.state | why_full($member; "\($member) has"))
    else
      .state["used/\($member)"] = $before + $body.amount
      | .changes["used/\($member)"] = $before + $body.amount
      | .events += [{type: "used", member: $member, total: ($before + $body.amount)}]
    end
  elif $type == "limit" then
    if $entry.rights | index("quota") then
      .state["limit/\($body.member)"] = $body.max | .changes["limit/\($body.member)"] = $body.max
    else .void = "limit: \($entry.principal) does not have the right quota"
    end
  else .void = "there is no act \($type)"
  end;

# Entries in order, each whole or void.
def reduced($state):
  reduce .params.entries[] as $entry ({state: $state, outcomes: [], changes: {}};
    (reduce $entry.acts[] as [$type, $body] ({state, changes, events: []}; act($entry; $type; $body))) as $done
    | if $done.void then .outcomes += [{id: $entry.id, void: $done.void}]
      else {state: $done.state, changes: $done.changes, outcomes: (.outcomes + [{id: $entry.id, events: $done.events}])}
      end)
  | {outcomes, changes: (.changes | to_entries | map([.key, .value]))};

# The merge test: nobody has used more than they may.
def tested($state):
  [.params.entries[] | . as $entry | .acts[] | (if .[0] == "limit" then .[1].member else $entry.principal end)
   | . as $member | $state | select(used($member) > limit($member)) | why_full($member; "\($member) has")]
  | if length == 0 then {verdict: "PASS"} else {verdict: "FAIL", findings: .} end;

def commanded($state):
  .params.actor.principal as $member | .params.args.amount as $amount | $state
  | if used($member) + $amount > limit($member) then {refused: why_full($member; "you have")}
    else {acts: [["use", {amount: $amount}]]}
    end;

def answer($state):
  if .method == "reduce" then reduced($state)
  elif .method == "test" then tested($state)
  elif .method == "query" then .params.args as $member | $state | {used: used($member), limit: limit($member)}
  else commanded($state)
  end;
