/** What must hold when the world has healed: I4, I7, I8, I10 of docs/design/ledger.md, "Proving it". */
import { bytesOf, concatBytes, type Hash, type Rng } from "../../base/index.ts";
import { type Block, decodeBlock, deriveHash } from "../../codec/index.ts";
import { type LedgerDb, MemoryDisk } from "../../db/index.ts";
import {
  admit,
  CHARTER_APP,
  CHARTER_BRANCH,
  judgeEntry,
  judgeMerge,
  type MergeApp,
  type MergePayload,
  parseMerge,
  reduceCharter,
  type StateView,
  workMerge,
} from "../../ledger/index.ts";
import { installedApps } from "../dapps/apps.ts";
import type { Finding, Invariant } from "./ledger-watch.ts";

export interface OutcomeInput {
  /** A node that has healed. */
  readonly db: LedgerDb;
  /** All blocks that honest devices have sent. */
  readonly sent: Iterable<Block>;
  readonly isHonest: (author: Block["a"]) => boolean;
  /** Its device is revoked: nobody takes from it what it says since. */
  readonly isOut: (author: Block["a"]) => boolean;
  readonly rng: Rng;
  readonly found: (finding: Omit<Finding, "atMs">) => void;
}

/** I4: nothing that an honest device has said is open. */
export function checkEntries({ db, sent, isHonest, isOut, found }: OutcomeInput): void {
  for (const { id, k, a } of sent) {
    if (k !== "entry" || !isHonest(a)) continue;
    const row = db.row(id);
    if (row === undefined && isOut(a)) continue;
    if (row === undefined) return fail(found, "I4", `the entry ${id.slice(0, 12)} is not held`);
    if (row.h === undefined) return fail(found, "I4", `the entry ${id.slice(0, 12)} is neither final nor void`);
    if (row.void === "") return fail(found, "I4", `the entry ${id.slice(0, 12)} is void without a reason`);
  }
}

/** I10: the same blocks in another order, in pieces and twice, are the same ledger. I7: worked anew from its start, the same state. */
export async function checkReplay(input: OutcomeInput): Promise<void> {
  const disk = MemoryDisk.blank();
  const replay = disk.open();
  try {
    takeShuffled(input, replay);
    const [there, here] = [input.db, replay].map((db) =>
      JSON.stringify({
        frontier: db.frontier(),
        heads: headsOf(db),
      }),
    );
    if (here !== there) return fail(input.found, "I10", `taken in another order the blocks are ${here}, not ${there}`);
    await workAnew(input, replay);
  } finally {
    disk.close();
  }
}

/** Of a log that was forked the order of taking in decides which version is its line, as long as no merge took one. */
function headsOf(db: LedgerDb): Hash[] {
  const forked = new Set(db.cuts().map(({ author, l }) => author + l));
  const isWhole = (block: Block | undefined): boolean => block !== undefined && !forked.has(block.a + block.l);
  return db
    .heads()
    .map(({ id }) => id)
    .filter((id) => isWhole(db.block(id)))
    .sort();
}

const PIECE_BLOCKS_MAX = 40;

function takeShuffled({ db, rng }: OutcomeInput, replay: LedgerDb): void {
  const organisation = db.organisation();
  const charter = organisation === undefined ? undefined : db.block(organisation);
  if (organisation === undefined || charter === undefined) return;
  replay.ingest([charter]);
  let waiting = db
    .frontier()
    .flatMap(({ author, l, n }) => [
      ...db.range(author, l, 0, n, Number.MAX_SAFE_INTEGER),
      ...db.alternates(author, l, 0, n, Number.MAX_SAFE_INTEGER),
    ]);
  const envelopes = new Map(waiting.map((envelope) => [decodeBlock(envelope).id, envelope]));
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    const left: Uint8Array[] = [];
    for (const rest = shuffled(waiting, rng); rest.length > 0; ) {
      const batch = rest.splice(0, 1 + Math.floor(rng.next() * PIECE_BLOCKS_MAX));
      const { admitted, orphans, refused } = admit(batch, replay.admitView(organisation));
      replay.ingest(admitted);
      isMoving ||= admitted.length > 0;
      for (const { block } of [...orphans, ...refused]) {
        const envelope = block === undefined ? undefined : envelopes.get(block.id);
        if (envelope !== undefined) left.push(envelope);
      }
    }
    waiting = left;
  }
}

/** Applies what merges can be, until none can; each is worked out from its entries first. */
async function workAnew(input: OutcomeInput, replay: LedgerDb): Promise<void> {
  const { db, found } = input;
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (const block of replay.waitingMerges()) {
      const payload = parseMerge(block.d);
      const line = replay.lineOf(payload.branch, block.a);
      if (judgeMerge(block, payload, replay.branchView(line)).verdict !== "apply") continue;
      const why = await workOne({ ...input, replay, line, block, payload });
      if (why !== undefined) return fail(found, "I7", `worked anew, ${line} ${payload.h} is another: ${why}`);
      isMoving = true;
    }
  }
  const [there, here] = [db, replay].map((each) => {
    return JSON.stringify(each.branches().map((line) => [line, each.head(line), each.stateRoots(line)]));
  });
  if (here !== there) fail(found, "I7", `worked anew the state is ${here}, not ${there}`);
}

interface MergeToWork {
  readonly db: LedgerDb;
  readonly rng: Rng;
  readonly replay: LedgerDb;
  readonly line: string;
  readonly block: Block;
  readonly payload: MergePayload;
}

/** Undefined when it is as the merge says. */
async function workOne({ db, rng, replay, line, block, payload }: MergeToWork): Promise<string | undefined> {
  const members = db.members(line, payload.h);
  const order = orderAsWritten(members, replay, payload);
  if (order.join() !== members.join()) return "its order is not that of [L12]";
  const charter = replay.charterAt(payload.charter.h);
  const entries = members.map((id) => judgeEntry(replay.block(id) as Block, charter));
  const apps = payload.branch === CHARTER_BRANCH ? [CHARTER_DAPP] : installedApps(charter, rng);
  const before = (app: string): StateView => (app === CHARTER_APP ? charter : replay.state(app, line));
  const { changes, voids } = await workMerge({
    height: payload.h,
    seed: seedAsWritten(replay, payload),
    entries,
    apps,
    before,
  });
  try {
    replay.applyMerge(line, block, payload, { state: changes, voids });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const CHARTER_DAPP: MergeApp = {
  name: CHARTER_APP,
  image: null,
  reads: [],
  reduce: async ({ entries }, now) => reduceCharter(entries, now(CHARTER_APP)),
  test: async () => ({ verdict: "PASS" }),
};

/** [L12] as it stands in docs/design/ledger.md. */
function seedAsWritten(db: LedgerDb, { prev, cert }: MergePayload): Hash {
  const base = prev ?? (db.organisation() as Hash);
  return deriveHash("gdo v1 seed", concatBytes([base, ...(cert?.votes ?? [])].map(bytesOf)));
}

/**
 * [L12] written once more from docs/design/ledger.md: a ledger that orders otherwise may well agree with itself, on
 * an order that a cheat can choose.
 */
function orderAsWritten(ids: readonly Hash[], db: LedgerDb, payload: MergePayload): Hash[] {
  const seed = seedAsWritten(db, payload);
  const tieOf = (id: Hash): Hash => deriveHash("gdo v1 order", concatBytes([bytesOf(seed), bytesOf(id)]));
  const keyed = ids.map((id) => ({ id, c: db.block(id)?.c ?? 0, tie: tieOf(id) }));
  return keyed.sort((x, y) => x.c - y.c || (x.tie < y.tie ? -1 : 1)).map(({ id }) => id);
}

function fail(found: OutcomeInput["found"], invariant: Invariant, what: string): void {
  found({ invariant, what });
}

function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const list = [...items];
  for (let left = list.length - 1; left > 0; left -= 1) {
    const other = Math.floor(rng.next() * (left + 1));
    [list[left], list[other]] = [list[other] as T, list[left] as T];
  }
  return list;
}
