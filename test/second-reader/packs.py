"""Packs, as docs/design/pack-format.md has them."""

import os
import re
import struct

from crc32c import crc32c

PACK_MAGIC = b"\x89gdopack"
RECORD_MAGIC = b"\xb7GDR"
FOOTER_MAGIC = b"\xb7GDF"
END_MAGIC = b"\xb7gdoend\n"
HEADER_BYTES = 32
RECORD_BYTES_MIN = 52
TRAILER_BYTES = 20
OBJECT_BYTES_MAX = 33_554_432
MARK, CHUNK, BLOB, TREE = range(4)
RAW, ZEROS, ZSTD, ZSTD_WITH_BASES = range(4)


class Broken(ValueError):
    """No whole item. `claimed_end` is where a possible header says that it ends."""

    def __init__(self, what, claimed_end=None, is_cut_off=False):
        super().__init__(what)
        self.claimed_end, self.is_cut_off = claimed_end, is_cut_off


class Record:
    """One record's header; its bytes are in `pack` at `offset`."""

    def __init__(self, pack, offset):
        data = pack[offset:offset + 48]
        if data[:4] != RECORD_MAGIC[:len(data)]:
            raise Broken("no record begins here")
        if len(data) < 48:
            raise Broken("the record is cut off", is_cut_off=True)
        self.kind, self.codec, self.base_count, zero = data[4:8]
        self.raw_bytes, self.stored_bytes = struct.unpack("<II", data[8:16])
        self.id = data[16:48]
        self.offset = offset
        self.payload_at = offset + 48 + 32 * self.base_count
        self.end = self.payload_at + self.stored_bytes + 4
        if zero != 0 or not self._is_possible():
            raise Broken("a header that no writer makes")
        if self.end > len(pack):
            raise Broken("the record is cut off", self.end, is_cut_off=True)
        if crc32c(pack[offset:self.end - 4]) != int.from_bytes(pack[self.end - 4:self.end], "little"):
            raise Broken("the record's checksum is wrong", self.end)
        self.bases = [pack[at:at + 32] for at in range(offset + 48, self.payload_at, 32)]
        self.payload = pack[self.payload_at:self.end - 4]

    def _is_possible(self):
        if self.kind == MARK:
            return (self.codec, self.base_count, self.raw_bytes, self.stored_bytes, self.id) == (0, 0, 0, 0, bytes(32))
        raw, stored = self.raw_bytes, self.stored_bytes
        lengths = {
            RAW: stored == raw,
            ZEROS: stored == 0 and raw > 0,
            ZSTD: 0 < stored < raw,
            ZSTD_WITH_BASES: 0 < stored < raw,
        }
        bases = range(1, 5) if self.codec == ZSTD_WITH_BASES else range(1)
        is_kind = self.kind in (CHUNK, BLOB, TREE)
        return is_kind and self.base_count in bases and raw <= OBJECT_BYTES_MAX and lengths.get(self.codec, False)


def check_header(pack, number):
    head = pack[:HEADER_BYTES]
    if len(head) < HEADER_BYTES or crc32c(head[:28]) != int.from_bytes(head[28:], "little"):
        raise ValueError("the pack's header is damaged")
    if head[:28] != PACK_MAGIC + b"\1\1\0\0" + struct.pack("<I", number) + bytes(12):
        raise ValueError("a header of another version, algorithm or pack")


def read_footer(pack):
    """Where the footer begins and its rows of id, offset and length; None when the pack has no whole footer."""
    if pack[-8:] != END_MAGIC:
        return None
    offset, crc = struct.unpack("<QI", pack[-TRAILER_BYTES:-8])
    footer = pack[offset:]
    if footer[:4] != FOOTER_MAGIC or crc32c(footer[:-12]) != crc:
        return None
    count = int.from_bytes(footer[4:8], "little")
    if len(footer) != 8 + 40 * count + TRAILER_BYTES:
        return None
    rows = [footer[at:at + 40] for at in range(8, 8 + 40 * count, 40)]
    if rows != sorted(rows):
        return None
    return offset, [(row[:32], *struct.unpack("<II", row[32:])) for row in rows]


def read_through(pack, end):
    """All records from the header to `end`, and what is damaged, as (offset, what). A torn append is no damage."""
    records, faults = [], []
    offset = HEADER_BYTES
    while offset < end:
        try:
            record = Record(pack, offset)
        except Broken as broken:
            following = _resume(pack, offset, end, broken)
            if following < end or not _is_torn(pack, offset, broken):
                faults.append((offset, str(broken)))
            offset = following
            continue
        if record.kind != MARK:
            records.append(record)
        offset = record.end
    return records, faults


def _is_torn(pack, offset, broken):
    is_footer_begun = pack[offset:offset + 4] == FOOTER_MAGIC[:len(pack) - offset]
    return broken.is_cut_off or (is_footer_begun and pack[-8:] != END_MAGIC)


def _resume(pack, offset, end, broken):
    """Where an item begins after one that is broken: where that claims to end, else where one is found."""
    claimed = broken.claimed_end
    if claimed is not None and claimed <= end:
        starts = (RECORD_MAGIC, FOOTER_MAGIC)
        if claimed == end or pack[claimed:claimed + 4] in starts:
            return claimed
    at = pack.find(RECORD_MAGIC, offset + 1, end)
    while at >= 0:
        try:
            Record(pack, at)
            return at
        except Broken:
            at = pack.find(RECORD_MAGIC, at + 1, end)
    return end


def read_pack(path, number):
    """Its records, whether it is sealed, and what is wrong with it. Every byte is looked at."""
    with open(path, "rb") as file:
        pack = file.read()
    check_header(pack, number)
    footer = read_footer(pack)
    end = len(pack) if footer is None else footer[0]
    records, faults = read_through(pack, end)
    if footer is not None:
        rows = sorted((record.id, record.offset, record.end - record.offset) for record in records)
        if rows != sorted(footer[1]):
            faults.append((end, "the footer does not list what is there"))
    return records, footer is not None, faults


def pack_numbers(folder):
    names = [name for name in os.listdir(folder) if re.fullmatch("[0-9a-f]{8}[.]pack", name)]
    return sorted(int(name[:8], 16) for name in names)
