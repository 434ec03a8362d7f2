"""A store's objects, blobs and trees, as docs/design/store.md has them. Every id is computed again."""

import os

import canonical
import packs
import zstd
from blake3 import blake3, blake3_derive_key
from cuts import cut

ZEROS_ID = bytes(32)
LEVEL_MAX = 10
NODE_ENTRIES_MIN, NODE_ENTRIES_MAX = 64, 1024
CUT_BELOW = (1 << 32) // 192
KIND_NAMES = {packs.CHUNK: "chunk", packs.BLOB: "blob", packs.TREE: "tree"}
FIELDS = {"f": "ais", "d": "i", "l": "al", "c": "ar", "b": "ar", "p": "a"}
OPTIONAL = {"f": "ko", "d": "", "l": "k", "c": "k", "b": "k", "p": "k"}


def object_id(kind, data):
    return blake3(data) if kind == packs.CHUNK else blake3_derive_key(f"gdo v1 {KIND_NAMES[kind]}", data)


class Store:
    def __init__(self, folder):
        self.records = {}
        self.faults = []
        self.sealed = self.packs = 0
        for number in packs.pack_numbers(folder):
            path = os.path.join(folder, f"{number:08x}.pack")
            records, is_sealed, faults = packs.read_pack(path, number)
            self.records.update((record.id, record) for record in records)  # The later record counts.
            self.faults += [f"{path} {offset}: {what}" for offset, what in faults]
            self.sealed += is_sealed
            self.packs += 1

    def get(self, wanted, kind):
        """The object's bytes, checked against its id."""
        record = self.records.get(wanted)
        if record is None:
            raise ValueError(f"{wanted.hex()} is not in the store")
        data = self._content(record)
        if record.kind != kind or len(data) != record.raw_bytes or object_id(kind, data) != wanted:
            raise ValueError(f"{wanted.hex()} is damaged")
        return data

    def _content(self, record):
        if record.codec == packs.RAW:
            return record.payload
        if record.codec == packs.ZEROS:
            return bytes(record.raw_bytes)
        prefix = b"".join(self.get(base, packs.CHUNK) for base in record.bases)
        return zstd.decompress(record.payload, record.raw_bytes, prefix)

    def blob(self, wanted):
        """The blob's bytes, piece by piece. The cuts are checked too: they follow from the bytes."""
        profile, entries, _ = self._blob_entries(wanted, None)
        pieces = []
        for entry_id, length in entries:
            piece = bytes(length) if entry_id == ZEROS_ID else self.get(entry_id, packs.CHUNK)
            if len(piece) != length:
                raise ValueError("a chunk has not the length that its entry says")
            pieces.append(piece)
        data = b"".join(pieces)
        if list(_leaf_entries(data, profile)) != entries:
            raise ValueError(f"{wanted.hex()}: the cuts are not those of the profile")
        return data

    def _blob_entries(self, wanted, parent):
        """Profile, all leaf entries below a node, and the ids of the node's own entries."""
        node = canonical.decode(self.get(wanted, packs.BLOB))
        if sorted(node) != ["f", "h", "i", "l", "v"] or node["v"] != 1:
            raise ValueError("no blob node of version 1")
        entries = [(node["i"][32 * at:32 * at + 32], length) for at, length in enumerate(node["l"])]
        is_whole = len(node["i"]) == 32 * len(entries) and all(length >= 1 for _, length in entries)
        if not is_whole or len(entries) > NODE_ENTRIES_MAX or node["h"] > LEVEL_MAX:
            raise ValueError("a blob node's entries are wrong")
        if parent is not None and (node["f"], node["h"]) != parent[:2]:
            raise ValueError("profile or level is not what the parent says")
        if parent is not None and sum(length for _, length in entries) != parent[2]:
            raise ValueError("the length is not what the parent says")
        if any(_ends_node(at + 1, entry) for at, (entry, _) in enumerate(entries[:-1])):
            raise ValueError("a blob node goes on after its end")
        if node["h"] == 0:
            return node["f"], entries, entries
        return node["f"], self._inner_entries(node, entries), entries

    def _inner_entries(self, node, entries):
        leaves = []
        for at, (child, length) in enumerate(entries):
            parent = (node["f"], node["h"] - 1, length)
            _, below, own = self._blob_entries(child, parent)
            if at < len(entries) - 1 and not _ends_node(len(own), own[-1][0]):
                raise ValueError("a blob node ends before its end")
            leaves += below
        return leaves

    def tree(self, wanted):
        """A folder's own attributes and its entries."""
        node = canonical.decode(self.get(wanted, packs.TREE))
        if sorted(node) != ["a", "e", "v"] or node["v"] != 1:
            raise ValueError("no tree node of version 1")
        names = [entry["n"] for entry in node["e"]]
        if names != sorted(set(names)):
            raise ValueError("names are not in order, or twice")
        for entry in node["e"]:
            _check_entry(entry)
        _check_attributes(node["a"])
        return node["a"], node["e"]


def _ends_node(count, entry_id):
    if count >= NODE_ENTRIES_MAX:
        return True
    bits = int.from_bytes(entry_id[:4], "big")
    return count >= NODE_ENTRIES_MIN and entry_id != ZEROS_ID and bits < CUT_BELOW


def _leaf_entries(data, profile):
    """What a leaf lists for these bytes: chunks, and zero chunks in a row as one entry."""
    zeros = 0
    for chunk in cut(data, profile):
        if not any(chunk):
            zeros += len(chunk)
            continue
        if zeros > 0:
            yield ZEROS_ID, zeros
        zeros = 0
        yield blake3(chunk), len(chunk)
    if zeros > 0:
        yield ZEROS_ID, zeros


def _check_entry(entry):
    name, kind = entry["n"], entry["y"]
    if not 1 <= len(name) <= 255 or name in (b".", b"..") or b"/" in name or b"\0" in name:
        raise ValueError(f"the name {name!r} leads elsewhere")
    optional = [field for field in OPTIONAL[kind] if field in entry]
    if sorted(entry) != sorted(["n", "y", *FIELDS[kind], *optional]):
        raise ValueError(f"the fields of {name!r} are wrong")
    if "a" in entry:
        _check_attributes(entry["a"])


def _check_attributes(attributes):
    if sorted(set(attributes) - {"x"}) != ["g", "m", "t", "u"] or not 0 <= attributes["m"] <= 0o7777:
        raise ValueError("attributes are wrong")
