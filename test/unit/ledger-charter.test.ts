/** Operations on the charter: validate, resolve, apply; each refusal with its reason and what to do. */
import test from "ava";
import { bytesOf, fromHex, type Hash, type PublicKey, toHex } from "../../lib/base/index.ts";
import { type Canonical, deriveHash, encodeCanonical } from "../../lib/codec/index.ts";
import {
  type Act,
  authorOf,
  branchPolicy,
  type Genesis,
  initialCharterState,
  type LedgerEntry,
  OverlayState,
  operationId,
  principalOf,
  recoveryCommitment,
  recoveryMessage,
  reduceCharter,
  validatorsOf,
} from "../../lib/ledger/index.ts";
import { testKey } from "../support/ledger-fixtures.ts";

const key = (byte: number): PublicKey => testKey(byte).publicKey;
const person = (id: string, byte: number, ...roles: string[]): Genesis["principals"][0] => ({
  id,
  devices: [key(byte)],
  roles,
  recovery: id === "ana" ? (recoveryCommitment(bytesOf(key(90))) as Hash) : null,
});

/** The office governs and merges; Ana, Ben and Cleo validate `club`; Dan is a member. */
const genesis: Genesis = {
  name: "Werkstatt",
  fault: "crash",
  principals: [
    person("office", 1, "founder"),
    person("ana", 2, "validator"),
    person("ben", 3, "validator"),
    person("cleo", 4, "validator"),
    person("dan", 5, "member"),
  ],
  roles: { founder: ["append", "govern"], validator: ["append", "validate"], member: ["append"] },
  branches: {
    charter: branchPolicy({ mode: "single", validator: "office" }, { fork: "deny" }),
    main: branchPolicy({ mode: "single", validator: "office" }),
    club: branchPolicy({ mode: "quorum", validators: "validator", q: 2 }),
    draft: branchPolicy({ mode: "open" }, { fork: "deny" }),
  },
  limits: {},
};

function start(): OverlayState {
  return new OverlayState(undefined, initialCharterState(genesis));
}

let made = 0;
/** Does acts by a device, keeps what they change, and gives the reason where they are void. */
function act(state: OverlayState, byte: number, ...acts: readonly Act[]): string | undefined {
  made += 1;
  const id = deriveHash("gdo v1 block", encodeCanonical(made));
  const entry: LedgerEntry = { id, author: key(byte), principal: "?", rights: [], timeMs: 0, app: "charter", acts };
  const { outcomes, changes } = reduceCharter([entry], state);
  state.apply(changes);
  return outcomes[0]?.void;
}
const on = (type: string, body: Canonical): Act => ({ type, body });
const OFFICE = 1;

const quorum = (q: number | null): Canonical => branchPolicy({ mode: "quorum", validators: "validator", q });
const REFUSED: readonly (readonly [title: string, by: number, what: Act, reason: RegExp])[] = [
  [
    "an operation without the right",
    5,
    on("role.grant", { principal: "dan", role: "founder" }),
    /dan has not the right govern; ask one who has it: office/,
  ],
  ["the last governor's device", OFFICE, on("device.revoke", { key: key(1) }), /nobody would be left.*; first give/],
  ["the last governor", OFFICE, on("principal.remove", { id: "office" }), /nobody would be left with the right govern/],
  ["the last governor's role", OFFICE, on("role.revoke", { principal: "office", role: "founder" }), /nobody would be/],
  ["rights without govern", OFFICE, on("role.set", { role: "founder", rights: [] }), /nobody would be left/],
  ["a principal twice", OFFICE, on("principal.add", { id: "dan", roles: [] }), /dan exists.*; choose another id/],
  ["a role that is not defined", OFFICE, on("role.grant", { principal: "dan", role: "king" }), /define it first/],
  ["a role twice", OFFICE, on("role.grant", { principal: "dan", role: "member" }), /has the role member already/],
  ["a role that it has not", OFFICE, on("role.revoke", { principal: "dan", role: "founder" }), /has not the role/],
  [
    "a principal that is not there",
    OFFICE,
    on("role.grant", { principal: "eve", role: "member" }),
    /no such principal/,
  ],
  [
    "a branch name in use",
    OFFICE,
    on("branch.set", { name: "club", policy: quorum(null), from: null }),
    /the branch name club is in use; choose another name/,
  ],
  ["a branch that is not there", OFFICE, on("branch.set", { name: "new", policy: quorum(null) }), /no branch new/],
  [
    "a quorum that can never be reached",
    OFFICE,
    on("branch.set", { name: "club", policy: quorum(4) }),
    /branch\/club: 4 of 3 validators can never agree; set a q that fits/,
  ],
  ["two disjoint quorums", OFFICE, on("branch.set", { name: "club", policy: quorum(1) }), /two disjoint quorums/],
  [
    "a single validator who is nobody",
    OFFICE,
    on("branch.set", { name: "main", policy: branchPolicy({ mode: "single", validator: "eve" }) }),
    /branch\/main would be left without a validator; first set another/,
  ],
  [
    "appenders of a role that is not defined",
    OFFICE,
    on("branch.set", {
      name: "main",
      policy: branchPolicy({ mode: "single", validator: "office" }, { appenders: "x" }),
    }),
    /names the role x, which is not defined; define it first/,
  ],
  [
    "a mode that lines cannot follow",
    OFFICE,
    on("branch.set", { name: "club", policy: branchPolicy({ mode: "open" }) }),
    /between open and other modes; fork it/,
  ],
  [
    "an open charter",
    OFFICE,
    on("branch.set", { name: "charter", policy: branchPolicy({ mode: "open" }) }),
    /cannot be open/,
  ],
  [
    "a fork of what denies it",
    OFFICE,
    on("branch.set", { name: "copy", policy: quorum(null), from: ["draft", 1, "ab".repeat(32)] }),
    /draft denies forks; change its policy first/,
  ],
  [
    "a fork of the charter",
    OFFICE,
    on("branch.set", { name: "copy", policy: quorum(null), from: ["charter", 1, "ab".repeat(32)] }),
    /charter denies forks/,
  ],
  [
    "guardians for somebody else",
    OFFICE,
    on("guardians.set", { principal: "dan", guardians: ["ben"], threshold: 1 }),
    /only dan may/,
  ],
  [
    "oneself as a guardian",
    5,
    on("guardians.set", { principal: "dan", guardians: ["dan"], threshold: 1 }),
    /nobody guards/,
  ],
  [
    "a threshold beyond the guardians",
    5,
    on("guardians.set", { principal: "dan", guardians: ["ben"], threshold: 2 }),
    /can never agree/,
  ],
  ["a ballot for nothing", 5, on("ballot", { operation: "ab".repeat(32) }), /no operation with that id is open/],
];

for (const [title, by, what, reason] of REFUSED) {
  test(`ledger: a charter operation is refused with reason and what to do: ${title}`, (t) => {
    const state = start();
    const before = JSON.stringify([...state.scan("")]);
    t.regex(act(state, by, what) ?? "not refused", reason);
    t.is(JSON.stringify([...state.scan("")]), before);
  });
}

test("[L16] a validator may go while a quorum is left, and the last one may not", (t) => {
  const state = start();
  t.is(act(state, OFFICE, on("principal.remove", { id: "cleo" })), undefined);
  t.deepEqual(validatorsOf(state, "club"), { mode: "quorum", principals: ["ana", "ben"], q: 2 });
  t.regex(act(state, 3, on("device.revoke", { key: key(3) })) ?? "", /2 of 1 validators can never agree/);
  t.is(act(state, OFFICE, on("branch.set", { name: "club", policy: quorum(null) })), undefined);
  t.is(act(state, 3, on("device.revoke", { key: key(3) })), undefined, "Ben takes his own device away");
  t.regex(act(state, OFFICE, on("principal.remove", { id: "ana" })) ?? "", /nobody with a device would validate/);
});

test("ledger: a principal that was removed is known, has no rights, and its name stays taken", (t) => {
  const state = start();
  t.is(act(state, OFFICE, on("principal.remove", { id: "dan" })), undefined);
  t.like(authorOf(state, key(5)), { principal: "dan", revoked: true, rights: [] });
  t.regex(act(state, OFFICE, on("principal.add", { id: "dan", roles: [] })) ?? "", /has existed/);
  t.regex(
    act(state, OFFICE, on("device.add", { key: key(6), principal: "dan", name: "x" })) ?? "",
    /no such principal/,
  );
});

test("[L10] a person adds and takes away devices of their own, and of nobody else", (t) => {
  const state = start();
  t.is(act(state, 5, on("device.add", { key: key(6), principal: "dan", name: "tablet" })), undefined);
  t.is(principalOf(state, key(6)), "dan");
  t.regex(act(state, 5, on("device.add", { key: key(7), principal: "ben", name: "x" })) ?? "", /has not the right/);
  t.is(act(state, 6, on("device.revoke", { key: key(5) })), undefined);
  t.regex(act(state, 6, on("device.revoke", { key: key(3) })) ?? "", /has not the right govern/);
});

test("ledger: roles are granted, taken and defined, and rights follow", (t) => {
  const state = start();
  t.is(act(state, OFFICE, on("role.set", { role: "keeper", rights: ["append", "govern"] })), undefined);
  t.is(act(state, OFFICE, on("role.grant", { principal: "dan", role: "keeper" })), undefined);
  t.deepEqual(authorOf(state, key(5))?.rights, ["append", "govern"]);
  t.is(act(state, 5, on("role.revoke", { principal: "office", role: "founder" })), undefined, "Dan governs now");
  t.deepEqual(authorOf(state, key(1))?.rights, []);
});

const keys = [{ key: key(21), name: "phone" }];
const next = recoveryCommitment(bytesOf(key(91)));

/** The body of a rotation or recovery, signed by a recovery key. */
function signed(principal: string, byte: number, change: Record<string, Canonical> = {}): Canonical {
  const said = { principal, keys, recovery: next };
  const committed = recoveryCommitment(bytesOf(key(90)));
  const signature = toHex(testKey(byte).sign(recoveryMessage(said, committed)));
  return { ...said, proof: { key: key(byte), signature }, ...change };
}

test("ledger: a rotation needs the recovery key that was committed to, and commits to the next", (t) => {
  const state = start();
  const rotate = (body: Canonical): string | undefined => act(state, 2, on("principal.rotate", body));
  t.regex(rotate({ principal: "ana", keys, recovery: next }) ?? "", /has a recovery key, which must sign/);
  t.regex(rotate(signed("ana", 92)) ?? "", /not the recovery key that was committed to/);
  const other = { keys: [{ key: key(22), name: "phone" }] };
  t.regex(rotate(signed("ana", 90, other)) ?? "", /has not signed this; sign exactly these keys/);
  t.regex(act(state, 5, on("principal.rotate", signed("ana", 90))) ?? "", /only ana may do that/);
  t.is(rotate(signed("ana", 90)), undefined);
  t.deepEqual([principalOf(state, key(2)), principalOf(state, key(21))], [undefined, "ana"]);
  const again = act(state, 21, on("principal.rotate", signed("ana", 90, other)));
  t.regex(again ?? "", /not the recovery key that was committed to/, "each is used once");
});

test("ledger: who has no recovery key rotates from a device of theirs; a key in use is refused", (t) => {
  const state = start();
  t.regex(
    act(state, 5, on("principal.rotate", { principal: "dan", keys: [{ key: key(3), name: "x" }], recovery: null })) ??
      "",
    /in the charter already; make a new one/,
  );
  t.is(act(state, 5, on("principal.rotate", { principal: "dan", keys, recovery: next })), undefined);
  t.is(principalOf(state, key(21)), "dan");
});

test("ledger: with the recovery key anybody's device carries a recovery in; it is good once", (t) => {
  const state = start();
  t.is(act(state, 5, on("principal.recover", signed("ana", 90))), undefined);
  t.deepEqual([principalOf(state, key(2)), principalOf(state, key(21))], [undefined, "ana"]);
  t.regex(act(state, 5, on("principal.recover", signed("ana", 90))) ?? "", /not the recovery key/);
  const reuse = signed("ana", 90, { recovery: recoveryCommitment(bytesOf(key(90))) });
  t.regex(act(start(), 5, on("principal.recover", reuse)) ?? "", /a recovery key is used once; commit to the hash/);
});

test("[L10] guardians recover a person's keys when as many of them as was said back it", (t) => {
  const state = start();
  const recover = on("principal.recover", { principal: "dan", keys, recovery: null });
  t.regex(act(state, 3, recover) ?? "", /dan has named no guardians; sign with the recovery key/);
  const guardians = { principal: "dan", guardians: ["ana", "ben", "cleo"], threshold: 2 };
  t.is(act(state, 5, on("guardians.set", guardians)), undefined);
  t.regex(act(state, OFFICE, recover) ?? "", /office is no guardian of dan; ask its guardians: ana, ben, cleo/);
  t.is(act(state, 2, recover), undefined);
  t.is(act(state, 2, recover), undefined, "the same again is the same ballot");
  t.is(principalOf(state, key(5)), "dan", "one of two");
  const operation = operationId(recover.type, recover.body);
  t.is(act(state, 4, on("ballot", { operation })), undefined);
  t.deepEqual([principalOf(state, key(5)), principalOf(state, key(21))], [undefined, "dan"]);
  t.regex(act(state, 3, on("ballot", { operation })) ?? "", /no operation with that id is open/);
});

test("ledger: whoever still has the keys objects to a recovery by naming guardians anew", (t) => {
  const state = start();
  const guard = (threshold: number): Act =>
    on("guardians.set", { principal: "dan", guardians: ["ana", "ben"], threshold });
  act(state, 5, guard(2));
  const recover = on("principal.recover", { principal: "dan", keys, recovery: null });
  act(state, 2, recover);
  act(state, 5, guard(2));
  t.is(act(state, 3, recover), undefined);
  t.is(principalOf(state, key(5)), "dan", "Ana's ballot was for nothing");
});

test("ledger: an invitation is used once", (t) => {
  const state = start();
  const use = on("invitation.use", { invitation: "ab".repeat(32), principal: "dan" });
  const add = (byte: number): Act => on("device.add", { key: key(byte), principal: "dan", name: `d${byte}` });
  t.is(act(state, OFFICE, use, add(31)), undefined);
  t.regex(act(state, OFFICE, use, add(32)) ?? "", /the invitation is used already; ask for a new one/);
  t.is(authorOf(state, key(32)), undefined);
});

test("ledger: the recovery message is what the page says, byte for byte", (t) => {
  const message = recoveryMessage({ principal: "ana", keys, recovery: null }, "cd".repeat(32));
  const said = encodeCanonical(["ana", [[key(21), "phone"]], null, "cd".repeat(32)]);
  t.is(toHex(message), `${toHex(Buffer.from("gdo/1/recovery\0"))}${deriveHash("gdo v1 recovery", said)}`);
  t.is(recoveryCommitment(fromHex(key(90)) as Uint8Array), deriveHash("gdo v1 recovery key", bytesOf(key(90))));
});
