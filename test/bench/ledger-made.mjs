/** What the ledger's benchmark works on: an organisation with many devices, their blocks, and merges as a node makes them. */
import { SystemClock, SystemRng } from "../../dist/lib/base/index.js";
import { deriveHash, generateKey, signBlock } from "../../dist/lib/codec/index.js";
import { branchPolicy, encodeGenesis, entryPayload } from "../../dist/lib/ledger/index.js";
import { buildMerge } from "../../dist/lib/node/merging/build.js";
import { collect } from "../../dist/lib/node/merging/collect.js";
import { workOnce } from "../../dist/lib/node/merging/work.js";
import { OwnLog } from "../../dist/lib/node/own-log.js";

const L = "00000000000000aa";
const UNSIGNED = new Uint8Array(64);
const POLICY = branchPolicy({ mode: "single", validator: "office" });

/** An office that merges, and devices that record. */
export function makeOrganisation(deviceCount) {
  const office = generateKey().pair;
  const devices = Array.from({ length: deviceCount }, () => generateKey().pair);
  const keys = [office, ...devices].map(({ publicKey }) => publicKey);
  const genesis = {
    name: "Bench",
    fault: "crash",
    principals: [{ id: "office", devices: keys, roles: ["all"], recovery: null }],
    roles: { all: ["append", "govern", "validate"] },
    branches: { charter: { ...POLICY, fork: "deny" }, main: POLICY },
    limits: {},
  };
  const place = { v: 1, a: office.publicKey, l: L, n: 0, b: null, p: [], c: 1, t: [0, null, 0] };
  const charter = signBlock({ ...place, k: "charter", o: null, d: encodeGenesis(genesis) }, office);
  return { charter, office, devices };
}

/** About 300 bytes of body; the key that it sets is its number. */
export function payloadOf(number) {
  return entryPayload("people", [{ type: "person.put", body: { id: `person${number}`, note: "x".repeat(60) } }]);
}

/**
 * `count` entries, each device's in its own log, in turns. Signatures of zeroes where only what is stored
 * matters: the disk does not look at them. `keyOf` says which key an entry sets.
 */
export function* makeEntries({ charter, devices }, count, { isSigned = true, keyOf = (number) => number } = {}) {
  const last = new Map();
  const signHash = (context, bytes) => ({ hash: deriveHash(context, bytes), sig: UNSIGNED });
  const signers = devices.map((pair) => (isSigned ? pair : { publicKey: pair.publicKey, signHash }));
  for (let number = 0; number < count; number += 1) {
    const pair = signers[number % signers.length];
    const before = last.get(pair);
    const place = before
      ? { n: before.n + 1, b: before.id, p: [], c: before.c + 1 }
      : { n: 0, b: null, p: [charter.id], c: charter.c + 1 };
    const fields = { v: 1, k: "entry", o: charter.id, a: pair.publicKey, l: L, t: [number, null, 1], ...place };
    const block = signBlock({ ...fields, d: payloadOf(keyOf(number)) }, pair);
    last.set(pair, block);
    yield block;
  }
}

/** Parts of at most `size`. */
export function* inParts(items, size) {
  const part = [];
  for (const item of items) {
    part.push(item);
    if (part.length === size) yield part.splice(0);
  }
  if (part.length > 0) yield part;
}

/** In process: an entry sets the key that it names. */
const people = {
  name: "people",
  image: null,
  reads: [],
  reduce: async ({ entries }) => ({
    outcomes: entries.map(({ id }) => ({ id, events: [] })),
    changes: entries.flatMap(({ acts }) => acts.map(({ body }) => [`person/${body.id}`, body])),
  }),
  test: async () => ({ verdict: "PASS" }),
};

const apps = { open: async () => ({ apps: [people], missing: [], close: async () => undefined }) };
/** What the store costs is measured by bench:store. */
const blobs = { put: async (bytes) => deriveHash("gdo bench", bytes), holding: (work) => work() };

/** The office's own log on a database. */
export function officeLog(db, { charter, office }) {
  return new OwnLog({ db, pair: office, organisation: charter.id, clock: new SystemClock(), rng: new SystemRng() });
}

/** Merges all that is pending, in as many merges as a node makes of it; how many those were. */
export async function mergeAll(db, organisation, ownLog) {
  for (let merges = 0; ; merges += 1) {
    const options = { ledger: db, organisation: organisation.charter.id, author: ownLog.author };
    const collected = collect("main", options);
    if (collected.entries.length === 0) return merges;
    const outcome = await workOnce(collected, { ledger: db, apps });
    const { block, payload, changes } = await buildMerge(collected, outcome, { ledger: db, blobs, ownLog });
    db.applyMerge("main", block, payload, changes);
  }
}
