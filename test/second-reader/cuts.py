"""Cut points, as docs/design/native.md has them: window minimum and fixed blocks."""

import struct

WORD = 0xFFFFFFFF
FACTOR = 0x9E3779B1
LONG = 0xFFFFFFFFFFFFFFFF
RANK_FACTOR = 0x9E3779B185EBCA77
PROFILES = {
    "min8-64k": (32_768, 98_304),
    "min8-16k": (8_192, 24_576),
    "fixed-64k": (65_536, 65_536),
}


def _hash(data, end):
    older, newer = struct.unpack_from("<II", data, end - 8)
    turned = (older << 16 | older >> 16) & WORD
    return ((newer ^ turned) * FACTOR + WORD) & WORD


def _rank(data, end):
    rank = 0
    for word in struct.unpack_from("<QQQQ", data, end - 32):
        rank = (rank ^ word) * RANK_FACTOR & LONG
        rank ^= rank >> 29
    return rank


def _first_cut(data, start, least, greatest):
    left = len(data) - start
    if left <= least:
        return left
    best, cut = WORD, min(left, greatest)
    for length in range(least, min(greatest, left)):
        value = _hash(data, start + length)
        if value < best:
            best, cut = value, length
        elif value == best < WORD and _rank(data, start + length) < _rank(data, start + cut):
            cut = length
    return cut


def cut(data, profile):
    """The chunks of these bytes."""
    least, greatest = PROFILES[profile]
    start = 0
    while start < len(data):
        length = _first_cut(data, start, least, greatest)
        yield data[start:start + length]
        start += length
