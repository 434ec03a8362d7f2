"""Calls of the host, a line of JSON each, to functions. There is rarely a reason to change this file."""
import json
import sys


class Refusal(Exception):
    """Why an entry is void, or a command is refused. Anything else that is raised is a bug."""


class HostState:
    """State as of one place in the ledger, asked of the host; what was read is kept for the call."""

    def __init__(self, ask, view):
        self._ask, self._view, self._known = ask, view, {}

    def get(self, key, app=None):
        if (key, app) not in self._known:
            params = {"view": self._view, "key": key}
            self._known[key, app] = self._ask("get", params if app is None else {**params, "app": app})
        return self._known[key, app]

    def scan(self, prefix, app=None):
        params = {"view": self._view, "prefix": prefix}
        page = self._ask("scan", params if app is None else {**params, "app": app})
        while True:
            yield from page["items"]
            if "cursor" not in page:
                return
            page = self._ask("next", {"cursor": page["cursor"]})


class Draft:
    """State in the middle of a reduce: what earlier entries did, and what this one does so far."""

    def __init__(self, state, kept):
        self.state, self._kept = state, kept
        self.changes, self.events = {}, []

    def get(self, key):
        if key in self.changes:
            return self.changes[key]
        return self._kept[key] if key in self._kept else self.state.get(key)

    def put(self, key, value):
        """None deletes."""
        self.changes[key] = value

    def emit(self, event):
        """Tells the dapps that read this one."""
        self.events.append(event)


def fold(entries, state, acts):
    """Takes entries in order, each whole or void."""
    kept, outcomes = {}, []
    for entry in entries:
        draft = Draft(state, kept)
        reason = reason_against(entry, draft, acts)
        if reason is None:
            kept.update(draft.changes)
            outcomes.append({"id": entry["id"], "events": draft.events})
        else:
            outcomes.append({"id": entry["id"], "void": reason[:256]})
    return {"outcomes": outcomes, "changes": list(kept.items())}


def reason_against(entry, draft, acts):
    for kind, body in entry["acts"]:
        if kind not in acts:
            return f"there is no act {kind[:64]}"
        try:
            acts[kind](body, entry, draft)
        except Refusal as refusal:
            return f"{kind}: {refusal}"
    return None


def answer(dapp, method, params, view):
    if method == "reduce":
        return fold(params["entries"], view("now"), dapp["acts"])
    if method == "test":
        findings = list(dapp["test"](params["entries"], view("before"), view("after"))) if "test" in dapp else []
        return {"verdict": "FAIL", "findings": findings} if findings else {"verdict": "PASS"}
    if method == "migrate":  # Only asked of a dapp.yaml with another `form` than the state has.
        return {"changes": list(dapp["migrate"](params["from"], params["to"], view("now")))}
    if method == "query":
        return dapp["queries"][params["name"]](params["args"], view("now"))
    if method == "command":
        try:
            actor = {**params["actor"], "time": params["time"]}
            return {"acts": dapp["commands"][params["name"]](params["args"], actor, view("now"))}
        except Refusal as refusal:
            return {"refused": str(refusal)}
    raise ValueError(f"no method {method}")


def serve(dapp, lines=sys.stdin, out=sys.stdout):
    """Answers calls until the input ends. What is printed to standard error is the dapp's log."""

    def send(message):
        out.write(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False, separators=(",", ":")) + "\n")
        out.flush()

    def ask(method, params):
        send({"id": "ask", "method": method, "params": params})
        reply = json.loads(lines.readline())
        if "error" in reply:
            raise RuntimeError(reply["error"]["message"])
        return reply["result"]

    for line in iter(lines.readline, ""):
        call = json.loads(line)
        result = answer(dapp, call["method"], call["params"], lambda view: HostState(ask, view))
        send({"id": call["id"], "result": result})
