/** Randomness, injected: the system's for keys and nonces, a seeded one for tests and simulation. */

export interface Rng {
  /** Fresh random bytes. */
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). Not for secrets. */
  next(): number;
}

export class SystemRng implements Rng {
  bytes(length: number): Uint8Array {
    // Not imported above: most commands load this file, few want randomness, and node:crypto takes its time.
    return process.getBuiltinModule("node:crypto").randomFillSync(new Uint8Array(length));
  }

  next(): number {
    return new DataView(this.bytes(4).buffer).getUint32(0) / 2 ** 32;
  }
}

/** sfc32 (Chris Doty-Humphrey's PractRand): small, fast, passes BigCrush; never for secrets. */
export class SeededRng implements Rng {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let round = 0; round < 15; round += 1) this.#word();
  }

  next(): number {
    return this.#word() / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.#word() & 0xff;
    return bytes;
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
