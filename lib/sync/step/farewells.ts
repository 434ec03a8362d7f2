/**
 * Devices that the charter has revoked are no peers any more; one that was away then has to learn it from somebody.
 * Here is who is told, and when again [S7]. Pure. docs/design/sync.md, "A device that was revoked".
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import { type HelloFrame, type Piece, verifyHello } from "../wire/frames.ts";
import { Assembly } from "./assembly.ts";
import { envelopeHash } from "./outbox.ts";

/** A farewell is never longer. */
export const FAREWELL_BYTES_MAX = 1024 * 1024;
/** Unfinished ones, of several peers at once. */
export const FAREWELLS_BYTES_MAX = 2 * FAREWELL_BYTES_MAX;
/** What one costs of its sender's bucket: its receiver verifies all the blocks in it. */
export const FAREWELL_FRAMES = 200;

/** It may have been lost. */
const AGAIN_MS = 600_000;
/** HELLOs of one device are not verified more often, whoever made them up. */
const CHECK_MS = 1000;
const DEVICES_MAX = 256;

export class Farewells {
  readonly #notBeforeMs = new Map<PublicKey, number>();
  readonly #coming = new Assembly(FAREWELLS_BYTES_MAX);

  get unfinishedBytes(): number {
    return this.#coming.heldBytes;
  }

  /** Whether a revoked device that says HELLO is to be told now. */
  isDue(frame: HelloFrame, organisation: Hash, nowMs: number): boolean {
    const { key } = frame;
    if (nowMs < (this.#notBeforeMs.get(key) ?? -Infinity)) return false;
    const isSigned = verifyHello(organisation, frame);
    const [oldest] = this.#notBeforeMs.keys();
    if (this.#notBeforeMs.size >= DEVICES_MAX && oldest !== undefined) this.#notBeforeMs.delete(oldest);
    this.#notBeforeMs.set(key, nowMs + (isSigned ? AGAIN_MS : CHECK_MS));
    return isSigned;
  }

  /** All of one, when its last piece is there; `refused` for what is none. */
  take(from: PublicKey, piece: Piece): Uint8Array | "more" | "refused" {
    if (piece.totalBytes > FAREWELL_BYTES_MAX) return "refused";
    const whole = this.#coming.add(`${from}/${piece.id}`, piece);
    if (whole === undefined) return "more";
    return envelopeHash(whole) === piece.id ? whole : "refused";
  }
}
