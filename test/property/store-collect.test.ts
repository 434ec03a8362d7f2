import { mkdtempSync, rmSync } from "node:fs";
import { cp, open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { bytesOf, equalBytes, type Hash, SeededRng } from "../../lib/base/index.ts";
import { encodeCanonical } from "../../lib/codec/index.ts";
import { type CollectionRoots, PackStore, readBlobBytes } from "../../lib/store/index.ts";

type Step =
  | { readonly do: "put"; readonly content: number; readonly length: number; readonly edit: number }
  | { readonly do: "forget"; readonly which: number }
  | {
      readonly do: "clean";
      readonly budget: number | undefined;
      readonly dryRun: boolean;
      readonly stopAfterMs: number;
    }
  | { readonly do: "reopen"; readonly isKilled: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      content: fc.nat(1),
      length: fc.constantFrom(40_000, 60_000),
      edit: fc.nat(5),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("forget" as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("clean" as const),
      budget: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 50_000 })),
      dryRun: fc.boolean(),
      stopAfterMs: fc.constantFrom(-1, -1, 0, 2, 8),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reopen" as const), isKilled: fc.boolean() }) },
);

const CONTENTS = [0, 1].map((seed) => new SeededRng(seed).bytes(60_000));

/** A store and what is named in it: the model is the map of what must be readable. */
class World {
  readonly named = new Map<Hash, Uint8Array>();
  readonly #folder: string;
  #dir: string;
  #generation = 0;
  /** What was put last; it may be forgotten, or gone. */
  #last: Hash | undefined;
  store!: PackStore;

  constructor(folder: string) {
    this.#folder = folder;
    this.#dir = join(folder, "0");
  }

  async open(): Promise<void> {
    this.store = await PackStore.open(this.#dir, { packBytesMax: 40_000 });
  }

  /** A killed process leaves what is on disk at that moment. */
  async reopen(isKilled: boolean): Promise<void> {
    const before = this.store;
    if (isKilled) {
      this.#generation += 1;
      const next = join(this.#folder, String(this.#generation));
      await cp(this.#dir, next, { recursive: true });
      this.#dir = next;
    }
    await before.close();
    await this.open();
  }

  roots(): CollectionRoots {
    return {
      whole: async () => [...this.named.keys()].filter((_, index) => index % 2 === 0),
      naming: () => [encodeCanonical([...this.named.keys()].filter((_, index) => index % 2 === 1).map(bytesOf))],
    };
  }

  async take(each: Step): Promise<void> {
    if (each.do === "put") {
      const bytes = Uint8Array.from((CONTENTS[each.content] as Uint8Array).subarray(0, each.length));
      bytes.fill(each.edit, each.length / 2, each.length / 2 + 50); // Much is alike: some lean on others.
      const id = await this.#put(bytes);
      await this.store.commit();
      this.named.set(id, bytes);
    } else if (each.do === "forget") {
      const ids = [...this.named.keys()];
      if (ids.length > 0) this.named.delete(ids[each.which % ids.length] as Hash);
    } else if (each.do === "clean") {
      await this.#clean(each);
    } else {
      await this.reopen(each.isKilled);
    }
  }

  async #put(bytes: Uint8Array): Promise<Hash> {
    const path = join(this.#folder, "file");
    await writeFile(path, bytes);
    const handle = await open(path, "r");
    try {
      const previous = this.#last === undefined ? {} : { previous: this.#last };
      this.#last = (await this.store.putFile(handle.fd, { profile: "min8-16k", ...previous })).id;
      return this.#last;
    } finally {
      await handle.close();
    }
  }

  async #clean({ budget, dryRun, stopAfterMs }: Extract<Step, { do: "clean" }>): Promise<void> {
    const stop = new AbortController();
    const timer = stopAfterMs < 0 ? undefined : setTimeout(() => stop.abort(new Error("stopped")), stopAfterMs);
    const options = { roots: this.roots(), dryRun, budgetBytes: budget, signal: stop.signal };
    await this.store.collect(options).catch((error: Error) => {
      if (error.message !== "stopped") throw error;
    });
    clearTimeout(timer);
  }

  async isWhole(): Promise<boolean> {
    for (const [id, bytes] of this.named) {
      if (!equalBytes(await readBlobBytes(this.store, id, 1e6), bytes)) return false;
    }
    return (await this.store.verify()).bad === 0;
  }
}

test("[T11] whatever is put, forgotten, cleaned, stopped and killed: what is named is whole, and what is not goes", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), "gdo-collect-"));
      const world = new World(folder);
      try {
        await world.open();
        for (const each of steps) {
          await world.take(each);
          if (!(await world.isWhole())) return false;
        }
        const done = await world.store.collect({ roots: world.roots() });
        if (done.leftPacks > 0 || !(await world.isWhole())) return false;
        world.named.clear();
        await world.store.collect({ roots: world.roots() });
        return world.store.objectCount === 0;
      } finally {
        await world.store.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 40 },
  );
  t.pass();
});
