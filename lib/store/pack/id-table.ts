/**
 * Where each object lies: an open-addressing table on typed arrays, 44 bytes a slot, because a Map of
 * strings would take five times the memory. Ids are hashes, so their first word is the hash function.
 */
import { bytesOf, type Hash, hashOf32 } from "../../base/index.ts";

/** A record's place. `recordBytes` is never 0. */
export interface Place {
  readonly pack: number;
  readonly offset: number;
  readonly recordBytes: number;
}

const WORDS_PER_ID = 8;
const SLOTS_MIN = 1024;
const LOAD_MAX = 0.7;

interface Slots {
  readonly ids: Uint32Array;
  readonly packs: Uint32Array;
  readonly offsets: Uint32Array;
  /** 0 marks a free slot. */
  readonly lengths: Uint32Array;
  readonly mask: number;
}

function makeSlots(count: number): Slots {
  return {
    ids: new Uint32Array(count * WORDS_PER_ID),
    packs: new Uint32Array(count),
    offsets: new Uint32Array(count),
    lengths: new Uint32Array(count),
    mask: count - 1,
  };
}

function wordsOf(id: Hash): Uint32Array {
  return new Uint32Array(bytesOf(id).slice().buffer);
}

export class IdTable {
  #slots = makeSlots(SLOTS_MIN);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(id: Hash): Place | undefined {
    const { packs, offsets, lengths } = this.#slots;
    const slot = this.#slotOf(wordsOf(id));
    const recordBytes = lengths[slot] ?? 0;
    return recordBytes === 0 ? undefined : { pack: packs[slot] ?? 0, offset: offsets[slot] ?? 0, recordBytes };
  }

  /** A later place of the same id replaces an earlier one: it was written because that one was damaged. */
  set(id: Hash, place: Place): void {
    this.#insert(wordsOf(id), place);
    if (this.#count > LOAD_MAX * this.#slots.lengths.length) this.#grow();
  }

  *ids(): Generator<Hash> {
    const { ids, lengths } = this.#slots;
    const bytes = new Uint8Array(ids.buffer);
    for (let slot = 0; slot < lengths.length; slot += 1) {
      if (lengths[slot] !== 0) yield hashOf32(bytes.subarray(slot * 32, slot * 32 + 32));
    }
  }

  #insert(words: Uint32Array, place: Place): void {
    const slots = this.#slots;
    const slot = this.#slotOf(words);
    if (slots.lengths[slot] === 0) this.#count += 1;
    slots.ids.set(words, slot * WORDS_PER_ID);
    slots.packs[slot] = place.pack;
    slots.offsets[slot] = place.offset;
    slots.lengths[slot] = place.recordBytes;
  }

  /** The id's slot, or the free one where it would go. There always is a free one. */
  #slotOf(words: Uint32Array): number {
    const { ids, lengths, mask } = this.#slots;
    let slot = (words[0] ?? 0) & mask;
    while (lengths[slot] !== 0 && !sameWords(ids, slot * WORDS_PER_ID, words)) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = makeSlots(old.lengths.length * 2);
    this.#count = 0;
    for (let slot = 0; slot < old.lengths.length; slot += 1) {
      const recordBytes = old.lengths[slot] ?? 0;
      if (recordBytes === 0) continue;
      const words = old.ids.subarray(slot * WORDS_PER_ID, (slot + 1) * WORDS_PER_ID);
      this.#insert(words, { pack: old.packs[slot] ?? 0, offset: old.offsets[slot] ?? 0, recordBytes });
    }
  }
}

function sameWords(ids: Uint32Array, start: number, words: Uint32Array): boolean {
  for (let word = 0; word < WORDS_PER_ID; word += 1) {
    if (ids[start + word] !== words[word]) return false;
  }
  return true;
}
