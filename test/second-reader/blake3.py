"""BLAKE3 in plain Python: hash and derive-key.

All chunks of an input, and all parents of a level, are compressed side by side: a state word is one
integer with a slot of 64 bits for each of them. A slot holds 32 bits; the rest takes carries.
"""

from array import array

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
DERIVE_KEY_CONTEXT, DERIVE_KEY_MATERIAL = 32, 64
BLOCK_BYTES = 64
CHUNK_BYTES = 1024
WORDS_PER_CHUNK = CHUNK_BYTES // 4


def _ones(lanes):
    """1 in every slot: times a word, the word in every slot."""
    return int.from_bytes(b"\1\0\0\0\0\0\0\0" * lanes, "little")


def _slots(words):
    return int.from_bytes(array("Q", words).tobytes(), "little")


def _words(slots, lanes):
    return array("Q", slots.to_bytes(8 * lanes, "little"))


def _compress(chaining, message, counters, block_bytes, flags):
    """The chaining values after one block in each lane. `counters` has one number a lane."""
    lanes = len(counters)
    ones = _ones(lanes)
    mask = 0xFFFFFFFF * ones
    low = _slots(counter & 0xFFFFFFFF for counter in counters)
    high = _slots(counter >> 32 for counter in counters)
    v = [*chaining, *(word * ones for word in IV[:4]), low, high, block_bytes * ones, flags * ones]

    def turn(word, bits):
        return (word >> bits | word << (32 - bits)) & mask

    for _ in range(7):
        for step, (a, b, c, d) in enumerate(COLUMNS_AND_DIAGONALS):
            v[a] = v[a] + v[b] + message[2 * step] & mask
            v[d] = turn(v[d] ^ v[a], 16)
            v[c] = v[c] + v[d] & mask
            v[b] = turn(v[b] ^ v[c], 12)
            v[a] = v[a] + v[b] + message[2 * step + 1] & mask
            v[d] = turn(v[d] ^ v[a], 8)
            v[c] = v[c] + v[d] & mask
            v[b] = turn(v[b] ^ v[c], 7)
        message = [message[place] for place in ORDER]
    return [v[place] ^ v[place + 8] for place in range(8)]


def _transposed(values, lanes):
    """From eight words of slots to one tuple of eight words a lane."""
    return list(zip(*(_words(value, lanes) for value in values)))


def _full_chunks(data, first, key, flags):
    """Chaining values of an input of whole chunks, none of which is the root."""
    words = array("I", data)
    lanes = len(data) // CHUNK_BYTES
    counters = range(first, first + lanes)
    values = [word * _ones(lanes) for word in key]
    for block in range(16):
        message = [_slots(words[16 * block + place::WORDS_PER_CHUNK]) for place in range(16)]
        edge = (CHUNK_START if block == 0 else 0) | (CHUNK_END if block == 15 else 0)
        values = _compress(values, message, counters, BLOCK_BYTES, flags | edge)
    return _transposed(values, lanes)


def _last_chunk(data, counter, key, flags, is_root):
    values = list(key)
    blocks = max(1, -(-len(data) // BLOCK_BYTES))
    for block in range(blocks):
        part = data[block * BLOCK_BYTES:(block + 1) * BLOCK_BYTES]
        is_last = block == blocks - 1
        edge = (CHUNK_START if block == 0 else 0) | (CHUNK_END if is_last else 0)
        root = ROOT if is_root and is_last else 0
        message = list(array("I", part.ljust(BLOCK_BYTES, b"\0")))
        values = _compress(values, message, [counter], len(part), flags | edge | root)
    return tuple(values)


def _parents(pairs, key, flags):
    lanes = len(pairs)
    message = [_slots(pair[place // 8][place % 8] for pair in pairs) for place in range(16)]
    values = [word * _ones(lanes) for word in key]
    return _transposed(_compress(values, message, [0] * lanes, BLOCK_BYTES, flags | PARENT), lanes)


def _tree(data, key, flags):
    """The root's first 32 bytes. Neighbours are joined level by level; one without a neighbour waits."""
    full = max(0, len(data) - 1) // CHUNK_BYTES
    last = _last_chunk(data[full * CHUNK_BYTES:], full, key, flags, full == 0)
    level = [last] if full == 0 else [*_full_chunks(data[:full * CHUNK_BYTES], 0, key, flags), last]
    while len(level) > 1:
        root = ROOT if len(level) == 2 else 0
        pairs = list(zip(level[0::2], level[1::2]))
        level = _parents(pairs, key, flags | root) + level[2 * len(pairs):]
    return array("I", level[0]).tobytes()


def blake3(data):
    return _tree(bytes(data), IV, 0)


def blake3_derive_key(context, data):
    key = array("I", _tree(context.encode(), IV, DERIVE_KEY_CONTEXT))
    return _tree(bytes(data), tuple(key), DERIVE_KEY_MATERIAL)
