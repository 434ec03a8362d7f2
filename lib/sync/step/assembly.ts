/** Pieces put together again, in bounded memory [S5]. Pure. */
import { concatBytes } from "../../base/index.ts";
import type { Piece } from "../wire/frames.ts";

interface Heap {
  readonly totalBytes: number;
  readonly pieces: Map<number, Uint8Array>;
  heldBytes: number;
}

/**
 * Holds unfinished things by a name that the caller makes from sender and id, so that no sender can spoil
 * what another sends. Beyond `bytesMax` the one that was begun first is dropped.
 */
export class Assembly {
  readonly #bytesMax: number;
  readonly #heaps = new Map<string, Heap>();
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The whole, once the last piece is there. Nothing is allocated for what a piece only claims. */
  add(name: string, piece: Piece): Uint8Array | undefined {
    const heap = this.#heapFor(name, piece);
    if (!heap.pieces.has(piece.offset)) {
      heap.pieces.set(piece.offset, piece.bytes.slice()); // A view would keep the whole frame.
      heap.heldBytes += piece.bytes.length;
      this.#heldBytes += piece.bytes.length;
    }
    if (heap.heldBytes >= heap.totalBytes) {
      this.drop(name);
      return whole(heap);
    }
    while (this.#heldBytes > this.#bytesMax) this.#dropOldest();
    return undefined;
  }

  drop(name: string): void {
    this.#heldBytes -= this.#heaps.get(name)?.heldBytes ?? 0;
    this.#heaps.delete(name);
  }

  /** A sender that cuts anew, or changed its mind about the size, begins anew. */
  #heapFor(name: string, { totalBytes, bytes }: Piece): Heap {
    const known = this.#heaps.get(name);
    if (known !== undefined && known.totalBytes === totalBytes) return known;
    this.drop(name);
    const heap = { totalBytes, pieces: new Map<number, Uint8Array>(), heldBytes: 0 };
    // An empty piece of something that is not empty would be held for nothing.
    if (bytes.length > 0 || totalBytes === 0) this.#heaps.set(name, heap);
    return heap;
  }

  #dropOldest(): void {
    for (const name of this.#heaps.keys()) {
      this.drop(name);
      return;
    }
  }
}

/** Undefined where pieces overlap: then the sender starts over. */
function whole({ pieces, totalBytes }: Heap): Uint8Array | undefined {
  let offset = 0;
  const parts: Uint8Array[] = [];
  while (offset < totalBytes) {
    const part = pieces.get(offset);
    if (part === undefined || part.length === 0) return undefined;
    parts.push(part);
    offset += part.length;
  }
  return concatBytes(parts);
}
