"""Reads the ledger's vectors by the design page alone: python3 read_ledger.py FIXTURES. Exit 1 names what differs."""

import base64
import json
import os
import sys

import blocks
import canonical
import order
from blake3 import blake3_derive_key
from blocks import Block
from ed25519 import public_key, usable_point, verify

FAULTS = []
COUNTS = {}


def check(name, is_so):
    COUNTS[name.split(":")[0]] = COUNTS.get(name.split(":")[0], 0) + 1
    if not is_so:
        FAULTS.append(name)


def refuses(work, *args):
    try:
        work(*args)
    except ValueError:
        return True
    return False


def to_json(value):
    """A canonical value in dag-json's form."""
    if isinstance(value, bytes):
        return {"/": {"bytes": base64.b64encode(value).decode().rstrip("=")}}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if type(value) is int and abs(value) >= 2**53:
        return {"/": {"int": str(value)}}
    return value


def read_values(folder):
    for vector in load(folder, "codec/rfc8949-appendix-a.json")["vectors"]:
        data = bytes.fromhex(vector["hex"])
        if "diagnostic" in vector:
            check(f"appendix A refused: {vector['hex']}", refuses(canonical.decode, data))
            continue
        value = canonical.decode(data)
        check(f"appendix A: {vector['hex']}", to_json(value) == vector["json"] and canonical.encode(value) == data)
    for vector in load(folder, "codec/refused-values.json")["values"]:
        check(f"values refused: {vector['name']}", refuses(canonical.decode, bytes.fromhex(vector["hex"])))


def read_keys(folder):
    for vector in load(folder, "codec/rfc8032-ed25519.json")["vectors"]:
        seed, key, message, signature = (
            bytes.fromhex(vector[name]) for name in ("seed", "publicKey", "message", "signature")
        )
        check(f"RFC 8032: {vector['name']}", public_key(seed) == key and verify(key, message, signature))
        check(f"RFC 8032: {vector['name']}, bent", not verify(key, message + b"\0", signature))
    for vector in load(folder, "codec/refused-keys.json")["keys"]:
        check(f"keys refused: {vector['hex']}", refuses(usable_point, bytes.fromhex(vector["hex"])))


def read_blocks(folder):
    for vector in load(folder, "ledger/blocks.json")["blocks"]:
        block = Block.of_envelope(bytes.fromhex(vector["envelope"]))
        check(f"blocks: {vector['name']}", block.id.hex() == vector["id"] and block.is_signed())
        check(f"blocks: payload of {vector['name']}", to_json(block.payload) == vector["payload"])
        check(f"blocks: key of {vector['name']}", public_key(bytes.fromhex(vector["seed"])) == block.fields["a"])
        if block.kind in blocks.CHECKS:
            check(f"payloads: {vector['name']}", not refuses(blocks.CHECKS[block.kind], block.payload))
        if block.kind == "evidence":
            check("evidence: both are signed", all(each.is_signed() for each in blocks.check_evidence(block.payload)))
    refused = load(folder, "ledger/refused.json")
    for vector in refused["bodies"]:
        check(f"bodies refused: {vector['name']}", refuses(Block, bytes.fromhex(vector["hex"]), bytes(64)))
    for vector in refused["payloads"]:
        payload = canonical.decode(bytes.fromhex(vector["hex"]))
        check(f"payloads refused: {vector['kind']}, {vector['name']}", refuses(blocks.CHECKS[vector["kind"]], payload))


def read_orders(folder):
    for vector in load(folder, "ledger/seeds.json")["seeds"]:
        votes = [bytes.fromhex(vote) for vote in vector["votes"]]
        check(f"seeds: {vector['seed']}", order.seed_of(bytes.fromhex(vector["base"]), votes).hex() == vector["seed"])
    vectors = load(folder, "ledger/order-and-roots.json")
    for vector in vectors["orders"]:
        placed = [(bytes.fromhex(block["id"]), block["c"]) for block in vector["blocks"]]
        found = [id_.hex() for id_ in order.ordered(placed, bytes.fromhex(vector["seed"]))]
        check(f"orders: {vector['name']}", found == vector["order"])
    for vector in vectors["states"]:
        root = order.state_root({f"key/{at}": at for at in range(vector["keys"])})
        check(f"state roots: {vector['keys']} keys", root.hex() == vector["root"])
    for vector in vectors["included"]:
        ids = [blake3_derive_key("gdo v1 block", canonical.encode(at)) for at in range(vector["count"])]
        check(f"included roots: {vector['count']} ids", order.included_root(ids).hex() == vector["root"])


class Ledger:
    """Blocks as they are taken in, and the principals of one charter that is never changed."""

    def __init__(self):
        self.held, self.log, self.devices, self.charter = {}, {}, {}, None

    def take(self, block):
        fields = block.fields
        parents = [self.held[parent] for parent in block.parents]  # Parents come first.
        clock = 1 + max([parent.fields["c"] for parent in parents], default=0)
        check("graph: clocks [L4]", fields["c"] == clock)
        if self.charter is None:
            self.charter = block
            for principal in block.payload["principals"]:
                self.devices.update({key: principal for key in principal["devices"]})
        check("graph: signatures [L3]", fields["a"] in self.devices and block.is_signed())
        place = (fields["a"], fields["l"])
        before = None if fields["n"] == 0 else self.log[place][fields["n"] - 1]
        check("graph: logs [L6]", fields["b"] == before and len(self.log.setdefault(place, [])) == fields["n"])
        self.log[place].append(block.id)
        self.held[block.id] = block

    def entries(self, merge):
        """(id, clock) of the entries for the branch in the merge's ranges."""
        ids = [id_ for a, l, first, last in merge["included"] for id_ in self.log[a, l][first:last + 1]]
        taken = [self.held[id_] for id_ in ids if self.held[id_].kind == "entry"]
        return [(b.id, b.fields["c"]) for b in taken if blocks.check_entry(b.payload) == merge["branch"]]

    def certificate_of(self, merge):
        """By the votes that are held; the quorum is the default of a fault model that only crashes."""
        role = self.charter.payload["branches"]["main"]["validators"]
        voters = sorted({p["id"] for p in self.devices.values() if role in p["roles"]})
        commits = [
            (b.id, self.devices[b.fields["a"]]["id"], b.payload["r"])
            for b in self.held.values()
            if b.kind == "vote" and b.payload["phase"] == "commit" and b.payload["merge"] == merge
        ]
        return order.certificate(commits, voters, len(voters) // 2 + 1)


def read_graph(folder):
    graph = load(folder, "ledger/graph.json")
    ledger = Ledger()
    for envelope in graph["blocks"]:
        block = Block.of_envelope(bytes.fromhex(envelope))
        if block.id not in ledger.held:
            ledger.take(block)
    state = {}
    for vector in graph["merges"]:
        merge = blocks.check_merge(ledger.held[bytes.fromhex(vector["id"])].payload)
        cert = None if merge["prev"] is None else ledger.certificate_of(merge["prev"])
        check("graph: certificate [L10]", cert == merge["cert"])
        seed = order.seed_of(merge["prev"] or ledger.charter.id, cert["votes"] if cert else [])
        entries = ledger.entries(merge)
        check("graph: seed [L12]", seed.hex() == vector["seed"])
        check("graph: order [L12]", [id_.hex() for id_ in order.ordered(entries, seed)] == vector["order"])
        check("graph: included root", order.included_root([id_ for id_, _ in entries]) == merge["set"])
        check("graph: counts", len(entries) == merge["entries"])
        apply_changes(vector, merge, state)


def apply_changes(vector, merge, state):
    """The blob of changes leads from the state before to the roots that the merge names [L19]."""
    blob = bytes.fromhex(vector["changes"])
    check("graph: blob of changes", blake3_derive_key("gdo v1 blob", blob) == merge["changes"])
    changes = canonical.decode(blob)
    for app, rows in changes["state"].items():
        values = state.setdefault(app, {})
        for key, *value in rows:
            values.update({key: value[0]}) if value else values.pop(key, None)
    roots = {app: order.state_root(values) for app, values in state.items()}
    check("graph: state roots [L19]", roots == merge["state"])
    shown = {app: dict(map(tuple, rows)) for app, rows in vector["state"].items()}
    check("graph: state", {app: to_json(values) for app, values in state.items()} == shown)
    check("graph: void entries", len(changes["void"]) == merge["void"])


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def main():
    for read in (read_values, read_keys, read_blocks, read_orders, read_graph):
        read(sys.argv[1])
    for name, count in COUNTS.items():
        print(f"{count} {name}")
    for fault in FAULTS:
        print(f"differs: {fault}")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
