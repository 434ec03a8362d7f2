"""Canonical values, as docs/design/ledger.md [L1] has them. Anything else is refused."""

import unicodedata

DEPTH_MAX = 16


def decode(data):
    value, end = _value(data, 0, 0)
    if end != len(data):
        raise ValueError("bytes follow the value")
    return value


def _head(data, at):
    """Major type, argument and where the rest begins; only the shortest form."""
    if at >= len(data):
        raise ValueError("the value is cut off")
    major, short = data[at] >> 5, data[at] & 31
    if short < 24:
        return major, short, at + 1
    if short > 27 or major == 7:
        raise ValueError("an indefinite length, a reserved form, a float or a simple value in two bytes")
    size = 1 << (short - 24)
    number = int.from_bytes(data[at + 1:at + 1 + size], "big")
    least = 24 if size == 1 else 1 << (4 * size)
    if at + 1 + size > len(data) or number < least:
        raise ValueError("a number is cut off or longer than need be")
    return major, number, at + 1 + size


def _value(data, at, depth):
    major, number, at = _head(data, at)
    if major == 0:
        return number, at
    if major == 1:
        if number >= 1 << 63:
            raise ValueError("an integer below -2^63")
        return -1 - number, at
    if major in (2, 3):
        return _string(data, at, number, major == 3)
    if major in (4, 5) and depth >= DEPTH_MAX:
        raise ValueError("nested too deep")
    if major == 4:
        return _array(data, at, number, depth)
    if major == 5:
        return _map(data, at, number, depth)
    simple = {20: False, 21: True, 22: None}
    if major == 7 and number in simple:
        return simple[number], at
    raise ValueError("a tag, a float or an unknown simple value")


def _string(data, at, size, is_text):
    piece = data[at:at + size]
    if len(piece) != size:
        raise ValueError("a string is cut off")
    if not is_text:
        return piece, at + size
    text = piece.decode()
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("text that is not in normal form C")
    return text, at + size


def _array(data, at, count, depth):
    items = []
    for _ in range(count):
        item, at = _value(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data, at, count, depth):
    result = {}
    before = b""
    for _ in range(count):
        key, end = _value(data, at, depth + 1)
        if not isinstance(key, str) or data[at:end] <= before:
            raise ValueError("a key is no text, or not in order")
        before = data[at:end]
        result[key], at = _value(data, end, depth + 1)
    return result, at


def encode(value):
    if value is None or value is True or value is False:
        return b"\xf6" if value is None else bytes([0xF5 if value else 0xF4])
    if isinstance(value, int):
        return _written(0, value) if value >= 0 else _written(1, -1 - value)
    if isinstance(value, bytes):
        return _written(2, len(value)) + value
    if isinstance(value, str):
        return _written(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _written(4, len(value)) + b"".join(encode(item) for item in value)
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _written(5, len(pairs)) + b"".join(key + item for key, item in pairs)


def _written(major, number):
    """A head in its shortest form."""
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << (8 * size))
    return bytes([major << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")
