"""Reads the ledger's vectors by the design page alone: python3 read_ledger.py FIXTURES [PART…]. Exit 1 names what differs."""

import base64
import json
import os
import sys

import blocks
import canonical
import order
from blake3 import blake3_derive_key
from blocks import Block
from branches import Ledger
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


def read_graph(folder):
    read_history(load(folder, "ledger/graph.json"), "graph")


def read_taking(folder):
    read_history(load(folder, "ledger/taking.json"), "taking")


def read_history(graph, named):
    """Blocks in the order of taking in, then what the merges among them make final."""
    ledger = Ledger(lambda name, is_so: check(f"{named}: {name}", is_so))
    for envelope in graph["blocks"]:
        block = Block.of_envelope(bytes.fromhex(envelope))
        if block.id not in ledger.held:
            ledger.take(block)
    for vector in graph["merges"]:
        found = ledger.apply(bytes.fromhex(vector["id"]), bytes.fromhex(vector["changes"]))
        for name, value in found.items():
            if name in vector:
                check(f"{named}: {name}", shown(value) == vector[name])
        if "state" in vector:
            state = ledger.branches["main"].states[-1]
            told = {app: dict(map(tuple, rows)) for app, rows in vector["state"].items()}
            check(f"{named}: state", {app: to_json(values) for app, values in state.items()} == told)
    check(f"{named}: authors are known", ledger.authors_known())


def shown(value):
    """As the vectors tell it: hashes in hex, sets ascending."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, set):
        return [shown(item) for item in sorted(value)]
    return [shown(item) for item in value] if isinstance(value, list) else value


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


PARTS = {
    "values": read_values,
    "keys": read_keys,
    "blocks": read_blocks,
    "orders": read_orders,
    "graph": read_graph,
    "taking": read_taking,
}


def main():
    for part in sys.argv[2:] or PARTS:
        PARTS[part](sys.argv[1])
    for name, count in COUNTS.items():
        print(f"{count} {name}")
    for fault in FAULTS:
        print(f"differs: {fault}")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
