/**
 * Which Ed25519 public keys may be used [L3]. Node's Ed25519 accepts one fixed signature for every
 * message under a key of small order, and takes encodings that RFC 8032 §5.1.3 has no place for; two
 * encodings of one key would be two devices.
 */
import { GdoError, HASH_BYTES, type PublicKey, publicKeyOf32 } from "../base/index.ts";

const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n; // -121665/121666 mod p.
const SIGN_BIT = 2n ** 255n;

/** y of the two pairs of points of order 8; (x, y) and (x, -y) for two signs of x. */
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/**
 * The y coordinates of the eight points whose order divides 8: the identity (1), order 2 (-1), order 4
 * (0, two signs) and order 8 (±ORDER_8_Y, two signs each).
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y]);

/**
 * The key, if it may be used. Throws KEY_INVALID for a wrong length, y not below p, a point of small
 * order (with either sign, so also "negative zero"), and for what is no point of the curve.
 */
export function assertUsableKey(key: Uint8Array): PublicKey {
  if (key.length !== HASH_BYTES) throw new GdoError("KEY_INVALID", `a public key has 32 bytes, not ${key.length}`);
  const name = publicKeyOf32(key);
  const why = whyUnusable(littleEndian(key) % SIGN_BIT);
  if (why !== undefined) throw new GdoError("KEY_INVALID", `public key ${name} refused: ${why}`);
  return name;
}

function whyUnusable(y: bigint): string | undefined {
  if (y >= P) return "not in canonical form";
  if (SMALL_ORDER_Y.has(y)) return "of small order";
  return isOnCurve(y) ? undefined : "not a point of the curve";
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

/** Whether x² = (y² - 1) / (d·y² + 1) has a solution (RFC 8032 §5.1.3), by Euler's criterion. */
function isOnCurve(y: bigint): boolean {
  const ySquared = (y * y) % P;
  // Numerator times denominator is a square exactly when their quotient is: no inversion needed.
  const product = ((ySquared - 1n + P) * (D * ySquared + 1n)) % P;
  return power(product, (P - 1n) / 2n) === 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
