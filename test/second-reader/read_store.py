"""Reads a store, knowing nothing but the pages of docs/design: pack-format.md, store.md, native.md.

    read_store.py check DIR            every record, id and blob; one line of counts, status 1 when anything is wrong
    read_store.py list DIR             every object: id, kind, size
    read_store.py cat DIR ID           a blob to standard output
    read_store.py extract DIR ID TO    a tree into a new folder
"""

import os
import stat
import sys

import packs
from store import KIND_NAMES, Store

DEVICES = {"c": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
HOLE_BYTES = 4096


def check(store):
    counts = dict.fromkeys(KIND_NAMES.values(), 0)
    with_bases = 0
    faults = list(store.faults)
    for wanted, record in store.records.items():
        counts[KIND_NAMES[record.kind]] += 1
        with_bases += record.codec == packs.ZSTD_WITH_BASES
        try:
            store.get(wanted, record.kind)
            if record.kind == packs.TREE:
                _check_links(store, wanted)
        except ValueError as error:
            faults.append(str(error))
    words = [f"{count} {name}s" for name, count in counts.items()]
    print(", ".join([*words, f"{with_bases} with bases", f"{store.packs} packs", f"{store.sealed} sealed"]))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _check_links(store, wanted):
    _, entries = store.tree(wanted)
    for entry in entries:
        if entry["y"] == "f" and len(store.blob(entry["i"])) != entry["s"]:
            raise ValueError(f"{entry['n']!r} has another size than its blob")
        if entry["y"] == "d":
            store.tree(entry["i"])


def list_objects(store):
    for wanted, record in sorted(store.records.items()):
        print(wanted.hex(), KIND_NAMES[record.kind], record.raw_bytes)
    return 0


def cat(store, wanted):
    sys.stdout.buffer.write(store.blob(bytes.fromhex(wanted)))
    return 0


def extract(store, wanted, to):
    _extract_folder(store, bytes.fromhex(wanted), os.fsencode(to), {})
    return 0


def _extract_folder(store, wanted, path, groups):
    attributes, entries = store.tree(wanted)
    os.mkdir(path, 0o700)
    for entry in entries:
        target = path + b"/" + entry["n"]
        if entry["y"] == "d":
            _extract_folder(store, entry["i"], target, groups)
        elif entry.get("k") in groups:
            os.link(groups[entry["k"]], target, follow_symlinks=False)
        else:
            _extract_entry(store, entry, target)
            _set_attributes(target, entry["a"])
            if "k" in entry:
                groups[entry["k"]] = target
    _set_attributes(path, attributes)


def _extract_entry(store, entry, target):
    if entry["y"] == "f":
        _write_sparse(target, store.blob(entry["i"]))
    elif entry["y"] == "l":
        os.symlink(entry["l"], target)
    else:
        os.mknod(target, DEVICES[entry["y"]] | 0o600, os.makedev(*entry.get("r", (0, 0))))


def _write_sparse(target, data):
    with open(target, "xb") as file:
        for at in range(0, len(data), HOLE_BYTES):
            page = data[at:at + HOLE_BYTES]
            if any(page):
                file.seek(at)
                file.write(page)
        file.truncate(len(data))


def _set_attributes(path, attributes):
    if os.geteuid() == 0:
        os.lchown(path, attributes["u"], attributes["g"])
    for name, value in attributes.get("x", []):
        os.setxattr(path, name, value, follow_symlinks=False)
    if not os.path.islink(path):
        os.chmod(path, attributes["m"])
    os.utime(path, ns=(attributes["t"], attributes["t"]), follow_symlinks=False)


def main(verb, folder, *rest):
    verbs = {"check": check, "list": list_objects, "cat": cat, "extract": extract}
    return verbs[verb](Store(folder), *rest)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
