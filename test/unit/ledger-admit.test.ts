/** Admission: each refusal, orphans, duplicates, equivocation, and vouching by a log's newest block. */
import test from "ava";
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import { type Block, encodeCanonical, encodeEnvelope } from "../../lib/codec/index.ts";
import { type Admission, type AdmitOptions, type AdmitView, admit, entryPayload } from "../../lib/ledger/index.ts";
import { note, TestLog, testKey, testOrganisation } from "../support/ledger-fixtures.ts";

const { charter } = testOrganisation();

/** What is held, as plain lists. */
class Held implements AdmitView {
  readonly organisation = charter.id;
  readonly known = new Set<PublicKey>([testKey(1).publicKey, testKey(2).publicKey]);
  readonly blocks: Block[] = [charter];

  knows(author: PublicKey): boolean {
    return this.known.has(author);
  }
  parent(id: Hash): Block | undefined {
    return this.blocks.find((block) => block.id === id);
  }
  at(author: PublicKey, l: string, n: number): Hash | undefined {
    return this.blocks.find((block) => block.a === author && block.l === l && block.n === n)?.id;
  }
  newest(author: PublicKey, l: string): number {
    return this.blocks.filter((block) => block.a === author && block.l === l).length - 1;
  }
}

function take(
  blocks: readonly (Block | Uint8Array)[],
  held: AdmitView = new Held(),
  options?: AdmitOptions,
): Admission {
  return admit(
    blocks.map((block) => (block instanceof Uint8Array ? block : encodeEnvelope(block))),
    held,
    options,
  );
}

const ids = (blocks: readonly { block: Block }[]): Hash[] => blocks.map(({ block }) => block.id);
const reasons = ({ refused }: Admission): string[] => refused.map(({ reason }) => reason);

function log(length: number, key = 1): TestLog {
  const made = new TestLog(testKey(key), charter.id);
  for (let n = 0; n < length; n += 1) made.entry([note(`${n}`)], n === 0 ? [charter] : []);
  return made;
}

function forged(block: Block): Block {
  const sig = new Uint8Array(block.sig);
  sig[0] = (sig[0] ?? 0) ^ 1;
  return { ...block, sig };
}

test("ledger: sound blocks are admitted, parents first, whatever order they come in", (t) => {
  const { blocks } = log(5);
  const result = take(blocks.toReversed());
  t.deepEqual(
    ids(result.admitted),
    blocks.map(({ id }) => id),
  );
  t.true(result.admitted.every(({ isChecked }) => isChecked));
  t.deepEqual([result.refused.length, result.orphans.length, result.known], [0, 0, 0]);
});

test("ledger: what is too long is refused without being read", (t) => {
  t.deepEqual(reasons(take([new Uint8Array(100_000)])), ["too_long"]);
});

test("[L2] garbage is refused as form", (t) => {
  t.deepEqual(reasons(take([new Uint8Array(0), Uint8Array.of(1, 2, 3), encodeCanonical([1, 2])])), [
    "form",
    "form",
    "form",
  ]);
});

test("ledger: a block of another organisation is refused", (t) => {
  const other = new TestLog(testKey(1), "f".repeat(64) as Hash).entry([note("x")], [charter]);
  t.deepEqual(reasons(take([other])), ["wrong_org"]);
});

test("ledger: another charter is refused", (t) => {
  const { v, k, o, a, l, n, b, p, c, d } = charter;
  const other = new TestLog(testKey(1), charter.id).draft(d, [], { v, k, o, a, l, n, b, p, c, t: [5, null, 5] });
  t.deepEqual(reasons(take([other])), ["wrong_org"]);
});

test("ledger: the charter is known by its id, before anybody is", (t) => {
  const empty: AdmitView = {
    ...new Held(),
    knows: () => false,
    parent: () => undefined,
    at: () => undefined,
    newest: () => -1,
  };
  t.deepEqual(ids(take([charter], { ...empty, organisation: charter.id }).admitted), [charter.id]);
  t.deepEqual(reasons(take([forged(charter)], { ...empty, organisation: charter.id })), ["signature"]);
});

test("ledger: a stranger's block is refused without a signature check", (t) => {
  const { blocks } = log(1, 9);
  const result = take([forged(blocks[0] as Block)]);
  t.deepEqual(reasons(result), ["unknown_author"]);
});

test("ledger: who is over their share is refused", (t) => {
  const held = new Held();
  let left = 2;
  const allow = (): boolean => left-- > 0;
  const view: AdmitView = {
    organisation: held.organisation,
    knows: (author) => held.knows(author),
    parent: (id) => held.parent(id),
    at: (a, l, n) => held.at(a, l, n),
    newest: (a, l) => held.newest(a, l),
    allow,
  };
  const result = take(log(3).blocks, view);
  t.is(result.admitted.length, 2);
  t.deepEqual(reasons(result), ["quota"]);
});

test("ledger: a replayed block is known, and changes nothing", (t) => {
  const { blocks } = log(2);
  const held = new Held();
  held.blocks.push(...blocks);
  const result = take([...blocks, ...blocks], held);
  t.deepEqual([result.known, result.admitted.length, result.refused.length], [4, 0, 0]);
  t.is(take([...blocks, ...blocks]).known, 2);
});

test("ledger: a block without its parents is an orphan, and says what it lacks", (t) => {
  const { blocks } = log(4);
  const result = take(blocks.slice(2));
  t.deepEqual(ids(result.orphans), [blocks[2]?.id, blocks[3]?.id] as Hash[]);
  t.deepEqual(result.orphans[0]?.missing, [blocks[1]?.id as Hash]);
  t.is(result.admitted.length, 0);
});

test("ledger: a number far beyond what is held is refused as window", (t) => {
  const { blocks } = log(70);
  t.deepEqual(reasons(take([blocks[64] as Block])), ["window"]);
  t.is(take([blocks[63] as Block]).orphans.length, 1);
  t.is(take(blocks).admitted.length, 70, "a whole range is within its own window");
});

test("ledger: an author has at most 64 orphans in a batch", (t) => {
  const lost = Array.from({ length: 70 }, (_, index) => {
    const made = new TestLog(testKey(1), charter.id, index.toString(16).padStart(16, "0"));
    return made.draft(entryPayload("notes", [note("x")]), [], { p: ["e".repeat(64) as Hash], c: 2 });
  });
  const result = take(lost);
  t.is(result.orphans.length, 64);
  t.deepEqual(reasons(result), new Array<string>(6).fill("window"));
});

test("ledger: a changed byte in the signature is refused", (t) => {
  const { blocks } = log(1);
  t.deepEqual(reasons(take([forged(blocks[0] as Block)])), ["signature"]);
});

test("ledger: what follows a refused block is an orphan", (t) => {
  const { blocks } = log(3);
  const result = take([forged(blocks[0] as Block), ...blocks.slice(1)]);
  t.deepEqual(reasons(result), ["signature"]);
  t.is(result.orphans.length, 2);
});

test("ledger: a forged copy does not stand for the true block", (t) => {
  const { blocks } = log(2);
  const result = take([forged(blocks[0] as Block), ...blocks]);
  t.deepEqual(
    ids(result.admitted),
    blocks.map(({ id }) => id),
  );
  t.deepEqual(reasons(result), ["signature"]);
});

test("[L4] a clock that is not one more than the greatest parent's is refused", (t) => {
  const made = log(1);
  for (const c of [1, 2, 4]) {
    const result = take([...made.blocks, made.draft(entryPayload("notes", [note("x")]), [], { c })]);
    t.deepEqual(reasons(result), ["form"], `${c}`);
  }
});

test("[L6] b must be the block before, in the same log", (t) => {
  const office = log(3);
  const door = log(2, 2);
  const payload = entryPayload("notes", [note("x")]);
  const bent = [
    office.draft(payload, [], { b: door.blocks[1]?.id as Hash, n: 2, c: 4 }),
    office.draft(payload, [], { b: office.blocks[0]?.id as Hash, n: 3, c: 3 }),
    office.draft(payload, [], { b: office.blocks[2]?.id as Hash, n: 4, c: 5 }),
  ];
  for (const block of bent) t.deepEqual(reasons(take([...office.blocks, ...door.blocks, block])), ["form"]);
});

test("[L6] a second block for one number is equivocation, and names the pair", (t) => {
  const made = log(2);
  const other = log(1);
  const twin = other.entry([note("twin")]);
  const result = take([...made.blocks, twin]);
  t.deepEqual(reasons(result), ["equivocation"]);
  const [refusal] = result.refused;
  t.deepEqual(new Set([refusal?.block?.id, refusal?.held]), new Set([twin.id, made.blocks[1]?.id]));
  const held = new Held();
  held.blocks.push(...made.blocks);
  t.is(take([twin], held).refused[0]?.held, made.blocks[1]?.id);
});

test("[L6] a forged twin proves nothing: it is refused for its signature", (t) => {
  const made = log(2);
  const twin = log(1).entry([note("twin")]);
  const held = new Held();
  held.blocks.push(...made.blocks);
  t.deepEqual(reasons(take([forged(twin)], held)), ["signature"]);
});

test("ledger: kinds that this version cannot judge, and payloads without their kind's shape, are refused", (t) => {
  const made = log(1);
  for (const k of ["vote", "checkpoint", "link", "evidence", "merge", "entry"] as const) {
    const block = made.draft({ x: 1 }, [], { k });
    t.deepEqual(reasons(take([...made.blocks, block])), ["form"], k);
  }
});

test("[L9] a verified newest block vouches for the range before it, and what was checked is said", (t) => {
  const { blocks } = log(10);
  const bent = blocks.map((block, index) => (index === 4 ? forged(block) : block));
  const result = take(bent, new Held(), { signatures: "newest" });
  t.is(result.admitted.length, 10);
  t.deepEqual(
    result.admitted.map(({ isChecked }) => isChecked),
    [...new Array<boolean>(9).fill(false), true],
  );
});

test("[L9] a newest block that is forged vouches for nothing; the one before it does", (t) => {
  const { blocks } = log(6);
  const bent = blocks.map((block, index) => (index >= 4 ? forged(block) : block));
  const result = take(bent, new Held(), { signatures: "newest" });
  t.deepEqual(
    ids(result.admitted),
    blocks.slice(0, 4).map(({ id }) => id),
  );
  t.deepEqual(reasons(result), ["signature"]);
  t.is(result.orphans.length, 1);
});

test("[L9] vouching ends where the chain of b does", (t) => {
  const office = log(3);
  const door = log(3, 2);
  const bent = [...office.blocks, ...door.blocks.map((block, index) => (index === 2 ? forged(block) : block))];
  const result = take(bent, new Held(), { signatures: "newest" });
  t.is(result.admitted.length, 5);
  t.deepEqual(reasons(result), ["signature"]);
  const alone = take([forged(office.blocks[0] as Block), ...office.blocks.slice(2)], new Held(), {
    signatures: "newest",
  });
  t.deepEqual(reasons(alone), ["signature"], "a gap breaks the range");
});

test("[L9] of a forked log each range needs a signature of its own", (t) => {
  const made = log(3);
  const twin = log(2).entry([note("twin")]);
  const result = take([...made.blocks, forged(twin)], new Held(), { signatures: "newest" });
  t.deepEqual(
    ids(result.admitted),
    made.blocks.map(({ id }) => id),
  );
  t.deepEqual(reasons(result), ["signature"]);
});

test("[L9] nobody can vouch for another's block by naming it as their own last", (t) => {
  const { blocks } = log(1);
  const claim = log(1, 2).draft(entryPayload("notes", [note("x")]), [], { b: blocks[0]?.id as Hash });
  const result = take([forged(blocks[0] as Block), claim], new Held(), { signatures: "newest" });
  t.deepEqual(reasons(result), ["signature"]);
  t.deepEqual(result.admitted, []);
});
