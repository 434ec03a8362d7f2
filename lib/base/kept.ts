/** What was worked out or read of late, up to so many; the oldest goes first. For what does not change under its key. */
export class Kept<Key, Value> {
  readonly #max: number;
  readonly #values = new Map<Key, Value>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  /** The value, for those who keep and return it in one. */
  set(key: Key, value: Value): Value {
    if (this.#values.size >= this.#max && !this.#values.has(key)) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    this.#values.set(key, value);
    return value;
  }

  delete(key: Key): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
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
