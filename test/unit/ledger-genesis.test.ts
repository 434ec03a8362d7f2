/** The charter block's payload and the charter app's reducer. */
import test from "ava";
import { bytesOf, type PublicKey, toHex } from "../../lib/base/index.ts";
import { type Canonical, deriveHash, encodeCanonical } from "../../lib/codec/index.ts";
import {
  type Act,
  authorOf,
  branchPolicy,
  encodeGenesis,
  type Genesis,
  initialCharterState,
  type LedgerEntry,
  OverlayState,
  parseGenesis,
  reduceCharter,
} from "../../lib/ledger/index.ts";
import { testGenesis, testKey } from "../support/ledger-fixtures.ts";

const office = testKey(1).publicKey;
const door = testKey(2).publicKey;
const laser = testKey(3).publicKey;
const genesis = testGenesis(office, door);
const tree = "ab".repeat(32);

test("ledger: a genesis is read as it was written", (t) => {
  t.deepEqual(parseGenesis(encodeGenesis(genesis)), genesis);
});

const payload = encodeGenesis(genesis) as Record<string, Canonical>;
const principals = payload["principals"] as readonly Record<string, Canonical>[];
const branches = payload["branches"] as Record<string, Canonical>;

const REFUSED: readonly (readonly [title: string, change: Record<string, Canonical>, message: RegExp])[] = [
  ["an unknown field", { colour: "red" }, /has the keys/],
  ["an empty name", { name: " " }, /1 to 100/],
  [
    "a role that is not defined",
    { principals: [{ ...principals[0], roles: ["founder", "king"] }] },
    /king, which is not defined/,
  ],
  [
    "a principal twice",
    { principals: [principals[0] as Canonical, { ...principals[0], devices: [] }] },
    /a principal is named twice/,
  ],
  [
    "a device twice",
    { principals: [principals[0] as Canonical, { ...principals[1], devices: [bytesOf(office)] }] },
    /a device is named twice/,
  ],
  ["an id that could not be in a state key", { principals: [{ ...principals[0], id: "a/b" }] }, /not a name/],
  ["nobody who may govern", { roles: { founder: ["append"], device: [] } }, /nobody has the right govern/],
  ["no branch charter", { branches: {} }, /no branch charter/],
  ["no branch main", { branches: { charter: branches["charter"] as Canonical } }, /no branch main/],
  ["a mode that is not known", { branches: { ...branches, main: { mode: "coin" } } }, /mode that is not known/],
  [
    "a validator who is nobody",
    { branches: { ...branches, main: branchPolicy({ mode: "single", validator: "ghost" }) } },
    /has no device/,
  ],
  ["a fault model that is none", { fault: "hope" }, /neither byzantine nor crash/],
  ["a limit that is not known", { limits: { entries: 3 } }, /limits has the keys/],
  ["a recovery that is no hash", { principals: [{ ...principals[0], recovery: "none" }] }, /32 bytes/],
];

for (const [title, change, message] of REFUSED) {
  test(`ledger: a genesis is refused with ${title}`, (t) => {
    t.throws(() => parseGenesis({ ...payload, ...change }), { code: "LEDGER_FORM", message });
  });
}

test("[L3] a genesis with a small-order key is refused", (t) => {
  const weak: Genesis = {
    ...genesis,
    principals: [{ id: "office", devices: ["00".repeat(32) as PublicKey], roles: ["founder"], recovery: null }],
  };
  t.throws(() => encodeGenesis(weak), { code: "KEY_INVALID" });
});

function start(): OverlayState {
  return new OverlayState(undefined, initialCharterState(genesis));
}

let made = 0;
function entry(author: PublicKey, ...acts: readonly Act[]): LedgerEntry {
  made += 1;
  const id = deriveHash("gdo v1 block", encodeCanonical(made));
  return { id, author, principal: "?", rights: [], timeMs: 0, app: "charter", acts };
}

const addLaser: Act = { type: "device.add", body: { key: laser, principal: "front-door", name: "laser-1" } };

test("[L10] several devices are one principal with its rights", (t) => {
  const state = start();
  t.deepEqual(authorOf(state, office), {
    principal: "office",
    name: "office",
    revoked: false,
    rights: ["append", "govern", "validate"],
  });
  state.apply(
    reduceCharter(
      [entry(office, { type: "device.add", body: { key: laser, principal: "office", name: "laptop" } })],
      state,
    ).changes,
  );
  t.deepEqual(authorOf(state, laser), {
    principal: "office",
    name: "laptop",
    revoked: false,
    rights: ["append", "govern", "validate"],
  });
  t.is(authorOf(state, testKey(9).publicKey), undefined);
});

test("ledger: charter entries add principals, devices and dapps", (t) => {
  const state = start();
  const acts: Act[] = [
    { type: "principal.add", body: { id: "laser-room", roles: ["device"] } },
    { type: "device.add", body: { key: laser, principal: "laser-room", name: "laser-room" } },
    { type: "dapp.install", body: { name: "door", version: "1.0.0", tree } },
    { type: "dapp.upgrade", body: { name: "door", version: "1.1.0", tree } },
  ];
  const { outcomes, changes } = reduceCharter([entry(office, ...acts)], state);
  t.is(outcomes[0]?.void, undefined);
  t.deepEqual(changes, [
    ["dapp/door", { version: "1.1.0", tree }],
    [`device/${laser}`, { principal: "laser-room", name: "laser-room" }],
    ["principal/laser-room", { roles: ["device"], recovery: null }],
  ]);
  state.apply(changes);
  const removed = reduceCharter([entry(office, { type: "dapp.remove", body: { name: "door" } })], state);
  t.deepEqual(removed.changes, [["dapp/door", undefined]]);
});

const VOID: readonly (readonly [title: string, act: Act, reason: RegExp])[] = [
  ["an unknown operation", { type: "coin.mint", body: {} }, /coin.mint: no such charter operation/],
  ["an operation named like a method", { type: "toString", body: {} }, /no such charter operation/],
  [
    "a field too many",
    { type: "device.revoke", body: { key: door, why: "x" } },
    /the field why is not known; its fields are key/,
  ],
  ["a body that is no map", { type: "device.revoke", body: [door] }, /its body is not a map/],
  [
    "a key of small order",
    { type: "device.add", body: { key: "00".repeat(32), principal: "office", name: "x" } },
    /small order/,
  ],
  [
    "a key in upper case",
    { type: "device.add", body: { key: laser.toUpperCase(), principal: "office", name: "x" } },
    /hex/,
  ],
  [
    "a key as bytes",
    { type: "device.add", body: { key: bytesOf(laser), principal: "office", name: "x" } },
    /64 hex digits/,
  ],
  ["a device that is there", { type: "device.add", body: { key: door, principal: "office", name: "x" } }, /already/],
  [
    "a device of nobody",
    { type: "device.add", body: { key: laser, principal: "ghost", name: "x" } },
    /no such principal: ghost/,
  ],
  [
    "a device without a name",
    { type: "device.add", body: { key: laser, principal: "office", name: "" } },
    /not a name/,
  ],
  ["a principal that is there", { type: "principal.add", body: { id: "office", roles: [] } }, /exists/],
  ["a role that is not defined", { type: "principal.add", body: { id: "x", roles: ["king"] } }, /no such role: king/],
  ["a device that is not there", { type: "device.revoke", body: { key: laser } }, /no such device/],
  ["the last device that may govern", { type: "device.revoke", body: { key: office } }, /nobody would be left/],
  [
    "a dapp called charter",
    { type: "dapp.install", body: { name: "charter", version: "1", tree } },
    /cannot name a dapp/,
  ],
  [
    "a dapp with a wrong tree",
    { type: "dapp.install", body: { name: "door", version: "1", tree: "ab" } },
    /64 hex digits/,
  ],
  [
    "an upgrade of what is not there",
    { type: "dapp.upgrade", body: { name: "door", version: "1", tree } },
    /no such dapp/,
  ],
  [
    "a name that cannot be made text",
    { type: "dapp.remove", body: { name: Object.create(null) as Canonical } },
    /name is not a name/,
  ],
  ["a removal of what is not there", { type: "dapp.remove", body: { name: "door" } }, /no such dapp/],
];

for (const [title, act, reason] of VOID) {
  test(`ledger: a charter entry is void with ${title}`, (t) => {
    const { outcomes, changes } = reduceCharter([entry(office, act)], start());
    t.regex(outcomes[0]?.void ?? "not void", reason);
    t.deepEqual(changes, []);
  });
}

test("[L3] enrolment refuses what could sign anything", (t) => {
  const weak = { type: "device.add", body: { key: `01${"00".repeat(31)}`, principal: "office", name: "x" } };
  t.regex(reduceCharter([entry(office, weak)], start()).outcomes[0]?.void ?? "", /small order/);
});

test("ledger: an entry is void as a whole when one act cannot be", (t) => {
  const acts: Act[] = [addLaser, { type: "dapp.remove", body: { name: "none" } }];
  const { outcomes, changes } = reduceCharter([entry(office, ...acts)], start());
  t.regex(outcomes[0]?.void ?? "", /dapp.remove: no such dapp/);
  t.deepEqual(changes, []);
});

test("ledger: who may not govern changes nothing", (t) => {
  const remove = { type: "dapp.remove", body: { name: "door" } };
  const { outcomes, changes } = reduceCharter([entry(door, remove), entry(laser, addLaser)], start());
  t.deepEqual(
    outcomes.map(({ void: reason }) => reason),
    [
      "dapp.remove: front-door has not the right govern; ask one who has it: office",
      "its author is not in the charter",
    ],
  );
  t.deepEqual(changes, []);
});

test("ledger: a revocation takes effect for the entries after it in the same merge", (t) => {
  const state = start();
  state.apply(
    reduceCharter(
      [entry(office, { type: "device.add", body: { key: laser, principal: "office", name: "laptop" } })],
      state,
    ).changes,
  );
  const { outcomes } = reduceCharter(
    [
      entry(laser, { type: "device.revoke", body: { key: office } }),
      entry(office, { type: "device.revoke", body: { key: laser } }),
    ],
    state,
  );
  t.deepEqual(
    outcomes.map(({ void: reason }) => reason),
    [undefined, "the device office is revoked"],
  );
});

test("ledger: reducing leaves the state that it was given alone", (t) => {
  const state = start();
  const before = toHex(encodeCanonical([...state.scan("")].map(([key, value]) => [key, value])));
  reduceCharter([entry(office, addLaser)], state);
  t.is(toHex(encodeCanonical([...state.scan("")].map(([key, value]) => [key, value]))), before);
});
