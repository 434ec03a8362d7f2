"""Ed25519 verification in plain Python, with the keys that docs/design/ledger.md [L3] refuses. RFC 8032, section 5.1."""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)


def _x_of(y, is_odd):
    """x of the point with this y, or None where the curve has none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQRT_MINUS_1 % P
    if x * x % P != square or (x == 0 and is_odd):
        return None
    return P - x if x & 1 != is_odd else x


def _add(one, other):
    """Of points as (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(factor, point):
    result = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _point(x, y):
    return x, y, 1, x * y % P


def _encode(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, -1, P) % P
BASE = _point(_x_of(BASE_Y, 0), BASE_Y)


def usable_point(key):
    """The key's point. ValueError for y not below p, for no point of the curve, and for small order [L3]."""
    number = int.from_bytes(key, "little")
    y, is_odd = number % (1 << 255), number >> 255
    if len(key) != 32 or y >= P:
        raise ValueError("a key that is not canonical")
    x = _x_of(y, is_odd)
    if x is None:
        raise ValueError("a key that is no point of the curve")
    if _times(8, _point(x, y))[0] == 0:
        raise ValueError("a key of small order")
    return _point(x, y)


def verify(key, message, signature):
    try:
        point = usable_point(key)
    except ValueError:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    negative = (P - point[0], point[1], 1, P - point[3])
    return _encode(_add(_times(scalar, BASE), _times(challenge, negative))) == signature[:32]


def public_key(seed):
    secret = bytearray(sha512(seed).digest()[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    return _encode(_times(int.from_bytes(secret, "little"), BASE))
