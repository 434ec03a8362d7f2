/** Order of taking in, repetition and pieces never change what a node holds, has pending or computes. */
import test from "ava";
import fc from "fast-check";
import { bytesOf, type Hash, toHex } from "../../lib/base/index.ts";
import {
  type Block,
  type Canonical,
  decodeCanonical,
  deriveHash,
  encodeCanonical,
  encodeEnvelope,
  type KeyPair,
} from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  admit,
  includedRoot,
  OverlayState,
  orderEntries,
  parseMerge,
  reduceCharter,
  stateRoot,
} from "../../lib/ledger/index.ts";
import { mergePending, note, reduceNotes, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const { charter } = testOrganisation();
const keys: readonly KeyPair[] = [testKey(1), testKey(2)];

/** One step of a history: who writes, in which of their logs, on top of which other log. */
interface Step {
  readonly author: number;
  readonly incarnation: number;
  readonly other: number;
}

const history = fc.array(fc.record({ author: fc.nat(1), incarnation: fc.nat(1), other: fc.nat(3) }), {
  minLength: 1,
  maxLength: 25,
});

function blocksOf(steps: readonly Step[]): Block[] {
  const logs = keys.flatMap((pair) =>
    ["00000000000000a1", "00000000000000a2"].map((l) => new TestLog(pair, charter.id, l)),
  );
  return steps.map(({ author, incarnation, other }, index) => {
    const log = logs[author * 2 + incarnation] as TestLog;
    const parent = logs[other]?.blocks.at(-1);
    const parents = parent === undefined || logs[other] === log ? [] : [parent];
    if (log.blocks.length === 0) parents.push(charter);
    return log.entry([note(index % 5 === 4 ? "bad" : `note ${index}`)], [...new Set(parents)]);
  });
}

/** Feeds envelopes in pieces through admission, holding orphans back, until nothing more goes in. */
function takeIn(db: LedgerDb, envelopes: readonly Uint8Array[], piece: number): void {
  let waiting: Uint8Array[] = [];
  for (let start = 0; start < envelopes.length; start += piece) {
    const batch = [...waiting, ...envelopes.slice(start, start + piece)];
    const { admitted, orphans, refused } = admit(batch, db.admitView(charter.id));
    if (refused.length > 0) throw new Error(refused[0]?.why);
    db.ingest(admitted);
    waiting = orphans.map(({ block }) => encodeEnvelope(block));
  }
}

function opened(): LedgerDb {
  const db = LedgerDb.open(":memory:");
  db.ingest([charter]);
  return db;
}

const pendingIds = (db: LedgerDb): Hash[] =>
  db
    .pending("main")
    .map(({ id }) => id)
    .sort();

test("ledger: order, repetition and pieces of taking in do not change frontier, pending set or state roots", (t) => {
  const shuffled = history.chain((steps) =>
    fc.record({
      steps: fc.constant(steps),
      order: fc.shuffledSubarray([...steps.keys(), ...steps.keys()], { minLength: steps.length * 2 }),
      piece: fc.integer({ min: 1, max: 10 }),
    }),
  );
  const check = ({ steps, order, piece }: { steps: Step[]; order: number[]; piece: number }): void => {
    const blocks = blocksOf(steps);
    const [one, two] = [opened(), opened()];
    one.ingest(blocks);
    takeIn(
      two,
      order.map((index) => encodeEnvelope(blocks[index] as Block)),
      piece,
    );
    t.deepEqual(two.frontier(), one.frontier());
    t.deepEqual(pendingIds(two), pendingIds(one));
    const office = new TestLog(keys[0] as KeyPair, charter.id, "00000000000000ff");
    const { merge, payload, changes } = mergePending(one, office);
    one.applyMerge("main", merge, payload, changes);
    two.ingest([merge]);
    // The other node works the merge out by itself, from its own order of taking in.
    two.applyMerge("main", merge, parseMerge(merge.d), reduceNotes(two.pending("main")));
    t.deepEqual(two.stateRoots(), one.stateRoots());
    t.deepEqual(two.members("main", 1), one.members("main", 1));
    t.deepEqual(two.voids("main"), one.voids("main"));
    t.deepEqual([one.verify().bad, two.verify().bad], [[], []]);
    one.close();
    two.close();
  };
  t.notThrows(() => fc.assert(fc.property(shuffled, check), { numRuns: 60 }));
});

test("[L12] the order puts every block after its parents, and depends on nothing but set and seed", (t) => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const check = (steps: Step[], bytes: Uint8Array, mix: number): void => {
    const blocks = blocksOf(steps);
    const seed = toHex(bytes) as Hash;
    const order = orderEntries(blocks, seed);
    const rotated = [...blocks.slice(mix % blocks.length), ...blocks.slice(0, mix % blocks.length)];
    t.deepEqual(orderEntries(rotated, seed), order);
    const place = new Map(order.map((id, index) => [id, index]));
    for (const { id, b, p } of blocks) {
      for (const parent of b === null ? p : [b, ...p]) t.true((place.get(parent) ?? -1) < (place.get(id) as number));
    }
  };
  t.notThrows(() => fc.assert(fc.property(history, seeds, fc.nat(), check), { numRuns: 60 }));
});

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.string({ unit: "binary" }).map((text) => text.normalize("NFC")),
  fc.uint8Array({ maxLength: 40 }),
);
const { value: anyValue } = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(
      fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.normalize("NFC")),
      tie("value"),
      { maxKeys: 30 },
    ),
  ),
}));

test("[L2] what is written is read and written again to the same bytes", (t) => {
  const check = (value: Canonical): void => {
    const bytes = encodeCanonical(value);
    t.is(toHex(encodeCanonical(decodeCanonical(bytes))), toHex(bytes));
  };
  t.notThrows(() => fc.assert(fc.property(anyValue, check), { numRuns: 500 }));
});

test("[L2] of changed bytes, what is still taken is canonical, and all else is LEDGER_FORM", (t) => {
  const changed = fc.tuple(anyValue, fc.nat(), fc.integer({ min: 1, max: 255 }));
  const check = ([value, at, mask]: [Canonical, number, number]): void => {
    const bytes = encodeCanonical(value);
    bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ mask;
    canonicalOrRefused(bytes);
  };
  t.notThrows(() => fc.assert(fc.property(changed, check), { numRuns: 1000 }));
  t.notThrows(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), canonicalOrRefused), { numRuns: 1000 }));
});

function canonicalOrRefused(bytes: Uint8Array): void {
  let value: Canonical;
  try {
    value = decodeCanonical(bytes);
  } catch (error) {
    if ((error as { code?: string }).code === "LEDGER_FORM") return;
    throw error;
  }
  if (toHex(encodeCanonical(value)) !== toHex(bytes)) throw new Error(`took ${toHex(bytes)}`);
}

test("[L1] integers of every width come back as they were", (t) => {
  const near = fc.tuple(fc.nat(64), fc.integer({ min: -3, max: 3 }), fc.boolean()).map(([bits, off, isNegative]) => {
    const value = 2n ** BigInt(bits) + BigInt(off);
    return isNegative ? -value : value;
  });
  const check = (value: bigint): void => {
    if (value < -(2n ** 63n) || value > 2n ** 64n - 1n) {
      t.throws(() => encodeCanonical(value), { code: "INPUT_INVALID" });
      return;
    }
    const back = decodeCanonical(encodeCanonical(value));
    t.is(BigInt(back as number | bigint), value);
    t.is(typeof back, Number.isSafeInteger(Number(value)) ? "number" : "bigint");
  };
  t.notThrows(() => fc.assert(fc.property(near, check), { numRuns: 500 }));
});

test("[L19] a state's root depends on its pairs alone, not on their order or history", (t) => {
  const pairs = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.nat()), {
    selector: ([key]) => key,
    maxLength: 60,
  });
  const check = (list: [string, number][], extra: string): void => {
    const root = stateRoot(list);
    t.is(stateRoot(list.toReversed()), root);
    const worked = new OverlayState(
      undefined,
      list.map(([key, value]) => [key, value + 1]),
    );
    worked.apply([[`${extra}!`, 1]]);
    worked.apply([...list, [`${extra}!`, undefined]]);
    t.is(stateRoot(worked.scan("")), root);
  };
  t.notThrows(() =>
    fc.assert(
      fc.property(
        pairs,
        fc.string({ maxLength: 3 }).map((text) => text.normalize("NFC")),
        check,
      ),
      { numRuns: 200 },
    ),
  );
});

test("ledger: an included root depends on the set alone", (t) => {
  const ids = fc
    .uniqueArray(fc.nat(), { maxLength: 80 })
    .map((list) => list.map((n) => deriveHash("gdo v1 block", encodeCanonical(n))));
  const check = (list: Hash[]): void => {
    t.is(includedRoot(list.toSorted((a, b) => (bytesOf(a)[5] ?? 0) - (bytesOf(b)[5] ?? 0))), includedRoot(list));
    if (list.length > 0) t.not(includedRoot(list.slice(1)), includedRoot(list));
  };
  t.notThrows(() => fc.assert(fc.property(ids, check), { numRuns: 200 }));
});

test("ledger: the charter's reducer takes any acts without throwing", (t) => {
  const type = fc.constantFrom(
    "device.add",
    "device.revoke",
    "principal.add",
    "dapp.install",
    "dapp.upgrade",
    "dapp.remove",
    "x",
  );
  const body = fc.oneof(
    anyValue,
    fc.dictionary(fc.constantFrom("key", "principal", "name", "id", "roles", "version", "tree"), anyValue, {
      maxKeys: 3,
    }),
  );
  const { office } = testOrganisation();
  const check = (acts: { type: string; body: Canonical }[]): void => {
    const state = opened();
    const entry = {
      id: charter.id,
      author: office.pair.publicKey,
      principal: "office",
      rights: [],
      timeMs: 0,
      app: "charter",
      acts,
    };
    t.is(reduceCharter([entry], state.state("charter")).outcomes.length, 1);
    state.close();
  };
  t.notThrows(() =>
    fc.assert(fc.property(fc.array(fc.record({ type, body }), { minLength: 1, maxLength: 4 }), check), {
      numRuns: 100,
    }),
  );
});
