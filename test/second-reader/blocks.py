"""Blocks and their payloads, as docs/design/ledger.md has them. What no block may be is a ValueError."""

import re

import canonical
from blake3 import blake3_derive_key
from ed25519 import verify

BODY_BYTES_MAX = 64 * 1024
COUNT_MAX = 2**53 - 1
KINDS = ("charter", "entry", "merge", "vote", "evidence", "checkpoint", "link")
FIELDS = set("vkoalnbpctd")
NAME = re.compile("[a-z0-9][a-z0-9._-]{0,62}")
VERDICTS = ("PASS", "FAIL", "ERROR", "MISSING")


def need(is_so, what):
    if not is_so:
        raise ValueError(what)


def is_bytes(value, size):
    return isinstance(value, bytes) and len(value) == size


def is_count(value, least=0):
    return type(value) is int and least <= value <= COUNT_MAX


def is_name(value):
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_ascending(values):
    return all(one < other for one, other in zip(values, values[1:]))


def is_hash_list(value, most):
    return isinstance(value, list) and len(value) <= most and all(is_bytes(item, 32) for item in value) and is_ascending(value)


def has_fields(value, *names):
    return isinstance(value, dict) and set(value) == set(names)


class Block:
    """One block; its form is checked, its payload's only where `payload` is called for."""

    def __init__(self, body, signature):
        need(len(body) <= BODY_BYTES_MAX, "a body longer than 64 KiB")
        self.body, self.signature = body, signature
        self.fields = check_body(canonical.decode(body))
        need(canonical.encode(self.fields) == body, "a body that is not canonical")
        self.id = blake3_derive_key("gdo v1 block", body)
        self.kind, self.payload = self.fields["k"], self.fields["d"]
        self.parents = [parent for parent in [self.fields["b"]] if parent is not None] + self.fields["p"]

    @classmethod
    def of_envelope(cls, envelope):
        pair = canonical.decode(envelope)
        need(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], bytes), "no envelope")
        need(is_bytes(pair[1], 64), "a signature that is not 64 bytes")
        return cls(*pair)

    def is_signed(self):
        message = b"gdo/1/" + self.kind.encode() + b"\0" + self.id
        return verify(self.fields["a"], message, self.signature)


def check_body(body):
    need(isinstance(body, dict) and set(body) == FIELDS, "not the fields of a body")
    need(body["v"] == 1 and body["k"] in KINDS, "another version or kind")
    need(is_bytes(body["o"], 32) or body["o"] is None, "o is not 32 bytes")
    need((body["o"] is None) == (body["k"] == "charter"), "o is null in a charter and nowhere else")
    need(is_bytes(body["a"], 32) and is_bytes(body["l"], 8), "a is 32 bytes, l is 8")
    need(is_count(body["n"]) and is_count(body["c"], 1), "n or c is no count")
    before, others = body["b"], body["p"]
    need(is_bytes(before, 32) if body["n"] > 0 else before is None, "b is null exactly when n is 0")
    need(is_hash_list(others, 8) and before not in others, "p is not up to eight other parents, ascending")
    need(body["k"] == "charter" or before is not None or others, "only a charter has no parents")
    time = body["t"]
    need(isinstance(time, list) and len(time) == 3, "t has three parts")
    need(type(time[0]) is int and abs(time[0]) <= COUNT_MAX and is_count(time[2]), "t is no time")
    need(time[1] is None or is_count(time[1]), "t is no time")
    return body


def check_entry(payload):
    """The branch that the entry is for."""
    is_named = isinstance(payload, dict) and "branch" in payload
    need(has_fields(payload, "app", "acts", *(["branch"] if is_named else [])), "not the fields of an entry")
    acts = payload["acts"]
    need(isinstance(acts, list) and 1 <= len(acts) <= 256, "1 to 256 acts")
    for act in acts:
        need(isinstance(act, list) and len(act) == 2 and isinstance(act[0], str), "an act is [type, body]")
        need(1 <= len(act[0].encode("utf-16-le")) // 2 <= 64, "a type has 1 to 64 characters")
    need(is_name(payload["app"]), "no dapp's name")
    if not is_named:
        return "charter" if payload["app"] == "charter" else "main"
    need(is_name(payload["branch"]), "no branch's name")
    need(payload["app"] != "charter" and payload["branch"] not in ("charter", "main"), "one meaning, one form")
    return payload["branch"]


VOTE_FIELDS = {
    "propose": ("merge", "valid", "proof"),
    "attest": ("merge", "verdict", "code", "outputs", "log"),
    "commit": ("merge",),
    "skip": (),
}


def check_vote(payload):
    phase = payload.get("phase") if isinstance(payload, dict) else None
    need(phase in VOTE_FIELDS, "a phase that is not known")
    need(has_fields(payload, "branch", "h", "r", "phase", *VOTE_FIELDS[phase]), "not the fields of the phase")
    need(is_name(payload["branch"]) and is_count(payload["h"], 1) and is_count(payload["r"]), "no place for a vote")
    need(phase == "skip" or is_bytes(payload["merge"], 32), "merge is not 32 bytes")
    if phase == "propose":
        need(is_hash_list(payload["proof"], 64), "the proof is no certificate")
        valid = payload["valid"]
        need(valid is None or (is_count(valid) and valid < payload["r"]), "valid is no round before")
        need((valid is None) == (payload["proof"] == []), "a proof exactly where a round is named")
    if phase == "attest":
        verdict, code, outputs = payload["verdict"], payload["code"], payload["outputs"]
        need(verdict in VERDICTS, "a verdict that is not known")
        need(code is None or (isinstance(code, str) and 1 <= len(code) <= 64 and verdict != "PASS"), "no code")
        need(isinstance(outputs, dict) and len(outputs) <= 64, "outputs are no map")
        need(all(is_name(app) and is_bytes(hash_, 32) for app, hash_ in outputs.items()), "no output")
        need(payload["log"] is None or is_bytes(payload["log"], 32), "log is no blob")
    return payload


MERGE_FIELDS = (
    "branch", "h", "prev", "heads", "included", "set", "entries", "void", "state", "changes", "tests",
    "charter", "cert", "from", "frozen",
)


def check_merge(payload):
    need(has_fields(payload, *MERGE_FIELDS), "not the fields of a merge")
    branch, h, prev = payload["branch"], payload["h"], payload["prev"]
    need(is_name(branch) and is_count(h, 1), "no place for a merge")
    need(prev is None if h == 1 else is_bytes(prev, 32), "prev is null exactly at height 1")
    need(is_count(payload["entries"]) and is_count(payload["void"]), "no counts")
    need(payload["void"] <= payload["entries"], "more void entries than entries")
    need(is_hash_list(payload["heads"], 8) and is_bytes(payload["set"], 32), "heads or set")
    _check_logs(payload["included"], 700, lambda first, last: is_count(first) and is_count(last, first))
    _check_logs(payload["frozen"], 64, lambda first, evidence: is_count(first) and is_bytes(evidence, 32))
    state = payload["state"]
    need(isinstance(state, dict) and len(state) <= 64, "state is no map")
    need(all(is_name(app) and is_bytes(root, 32) for app, root in state.items()), "no state root")
    need(payload["changes"] is None or is_bytes(payload["changes"], 32), "changes is no blob")
    _check_tests(payload["tests"])
    _check_positions(payload)
    return payload


def _check_logs(rows, most, is_rest):
    need(isinstance(rows, list) and len(rows) <= most, "too many logs")
    for row in rows:
        need(isinstance(row, list) and len(row) == 4 and is_bytes(row[0], 32) and is_bytes(row[1], 8), "no log")
        need(is_rest(row[2], row[3]), "no range of a log")
    need(is_ascending([row[0] + row[1] for row in rows]), "logs out of order")


def _check_tests(tests):
    need(isinstance(tests, list) and len(tests) <= 64, "too many tests")
    for test in tests:
        need(isinstance(test, list) and len(test) == 4 and is_name(test[0]) and test[2] in VERDICTS, "no test")
        need(all(value is None or is_bytes(value, 32) for value in (test[1], test[3])), "no test")


def _check_positions(payload):
    branch, h, prev = payload["branch"], payload["h"], payload["prev"]
    at = payload["charter"]
    need(isinstance(at, list) and len(at) == 2 and is_count(at[0]), "no position")
    need(at[1] is None if at[0] == 0 else is_bytes(at[1], 32), "no position")
    need(branch != "charter" or at == [h - 1, prev], "the charter is judged by itself")
    cert = payload["cert"]
    if cert is not None:
        need(has_fields(cert, "r", "votes") and is_count(cert["r"]) and prev is not None, "no certificate")
        need(is_hash_list(cert["votes"], 64) and cert["votes"], "no certificate")
    need(isinstance(payload["from"], list) and len(payload["from"]) <= 8, "too many sources")
    for source in payload["from"]:
        need(isinstance(source, list) and len(source) == 3 and is_name(source[0]), "no source")
        need(is_count(source[1], 1) and is_bytes(source[2], 32), "no source")
        need(source[0] not in (branch, "charter") and branch != "charter", "no source")
    need(is_ascending([source[0] for source in payload["from"]]), "sources out of order")


def check_evidence(payload):
    """The two blocks, where they are held in it."""
    need(has_fields(payload, "blocks") and isinstance(payload["blocks"], list), "not the fields of evidence")
    sides = payload["blocks"]
    need(len(sides) == 2 and all(isinstance(side, bytes) for side in sides), "evidence is of two blocks")
    if is_bytes(sides[0], 32) and is_bytes(sides[1], 32):
        need(sides[0] != sides[1], "one blob twice")
        return []
    one, other = (Block.of_envelope(side) for side in sides)
    need(all(one.fields[key] == other.fields[key] for key in "alno") and one.id < other.id, "it proves nothing")
    return [one, other]


CHECKS = {"entry": check_entry, "vote": check_vote, "merge": check_merge, "evidence": check_evidence}
