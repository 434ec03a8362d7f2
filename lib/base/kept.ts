/**
 * What was worked out or read of late, at most so many and at least half of that; what nobody asked for longest goes
 * first. For what does not change under its key. Two generations, and the older goes as a whole: a Map whose first key
 * is deleted again and again walks over all the places that were left empty.
 */
export class Kept<Key, Value> {
  readonly #generationMax: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(max: number) {
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  get(key: Key): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    return older === undefined ? undefined : this.set(key, older);
  }

  /** The value, for those who keep and return it in one. */
  set(key: Key, value: Value): Value {
    if (this.#young.size >= this.#generationMax && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }

  delete(key: Key): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

/** A pure function of something that never changes, worked out once for each as long as somebody has that. */
export function oncePerObject<Thing, Value>(work: (thing: Thing) => Value): (thing: Thing) => Value {
  const known = new WeakMap<object, { readonly value: Value }>();
  return (thing) => {
    if (typeof thing !== "object" || thing === null) return work(thing);
    const found = known.get(thing) ?? { value: work(thing) };
    known.set(thing, found);
    return found.value;
  };
}
