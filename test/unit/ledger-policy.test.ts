/** Policies of branches, quorums, and who validates. */
import test from "ava";
import type { Canonical } from "../../lib/codec/index.ts";
import {
  branchPolicy,
  encodeGenesis,
  type FaultModel,
  faultOf,
  faultsOf,
  type Genesis,
  initialCharterState,
  OverlayState,
  parseGenesis,
  policyOf,
  quorumOf,
  reduceCharter,
  validatorsOf,
  whyUnsoundQuorum,
} from "../../lib/ledger/index.ts";
import { testGenesis, testKey } from "../support/ledger-fixtures.ts";

const keys = [1, 2, 3, 4, 5].map((byte) => testKey(byte).publicKey);
const [office, door] = keys as [(typeof keys)[0], (typeof keys)[0]];
const plain = testGenesis(office, door);

/** Ana has two devices, Ben and Cleo one, Dan none; all four validate. */
function quorumGenesis(fault: FaultModel, q: number | null): Genesis {
  const person = (id: string, ...devices: typeof keys): Genesis["principals"][0] => ({
    id,
    devices,
    roles: ["validator"],
    recovery: null,
  });
  const [a, b, c, d] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
  return {
    ...plain,
    fault,
    principals: [person("cleo", c), person("ana", a, b), person("ben", d), person("dan")],
    roles: { validator: ["append", "govern", "validate"] },
    branches: {
      charter: branchPolicy({ mode: "quorum", validators: "validator", q: null }, { fork: "deny" }),
      main: branchPolicy({ mode: "quorum", validators: "validator", q }),
      draft: branchPolicy({ mode: "open" }),
    },
  };
}

test("[L16] any two quorums share an honest principal, and a quorum is left when f fail", (t) => {
  for (let n = 1; n <= 64; n += 1) {
    for (const fault of ["byzantine", "crash"] as const) {
      const [q, f] = [quorumOf(n, fault), faultsOf(n, fault)];
      const shared = 2 * q - n; // At least so many are in both.
      t.true(shared > (fault === "byzantine" ? f : 0), `${n} ${fault}`);
      t.true(n - f >= q, `${n} ${fault}`);
      t.is(whyUnsoundQuorum(null, n, fault), undefined);
      t.is(whyUnsoundQuorum(q, n, fault), undefined);
      t.regex(whyUnsoundQuorum(q - 1, n, fault) ?? "", /two disjoint quorums/);
      t.regex(whyUnsoundQuorum(n + 1, n, fault) ?? "", /can never agree/);
    }
  }
  t.deepEqual(
    [3, 4, 7].map((n) => quorumOf(n, "byzantine")),
    [3, 3, 5],
  );
  t.deepEqual(
    [3, 4, 5].map((n) => quorumOf(n, "crash")),
    [2, 3, 3],
  );
  t.regex(whyUnsoundQuorum(null, 0, "crash") ?? "", /nobody/);
  t.regex(whyUnsoundQuorum(null, 65, "crash") ?? "", /more than 64/);
});

test("[L10] validators are principals with the role and a device that is not revoked, in the order of their names", (t) => {
  const state = new OverlayState(undefined, initialCharterState(quorumGenesis("crash", null)));
  t.deepEqual(validatorsOf(state, "main"), { mode: "quorum", principals: ["ana", "ben", "cleo"], q: 2 });
  t.deepEqual(validatorsOf(state, "draft"), { mode: "open", principals: [], q: 0 });
  t.is(validatorsOf(state, "none"), undefined);
  t.is(faultOf(state), "crash");
  t.like(policyOf(state, "main"), { mode: "quorum", validators: "validator", q: null });
  const revoke = { type: "device.revoke", body: { key: keys[3] as string } };
  const entry = { author: keys[0] as (typeof keys)[0], principal: "ana", rights: [], timeMs: 0, app: "charter" };
  const id = "a".repeat(64) as never;
  state.apply(reduceCharter([{ ...entry, id, acts: [revoke] }], state).changes);
  t.deepEqual(validatorsOf(state, "main"), { mode: "quorum", principals: ["ana", "cleo"], q: 2 });
});

test("[L16] a fixed q and the fault model are the genesis'", (t) => {
  const state = new OverlayState(undefined, initialCharterState(quorumGenesis("byzantine", 3)));
  t.deepEqual(validatorsOf(state, "main"), { mode: "quorum", principals: ["ana", "ben", "cleo"], q: 3 });
  t.deepEqual(parseGenesis(encodeGenesis(quorumGenesis("byzantine", 3))), quorumGenesis("byzantine", 3));
  const single = new OverlayState(undefined, initialCharterState(plain));
  t.deepEqual(validatorsOf(single, "main"), { mode: "single", principals: ["office"], q: 1 });
});

const quorum = { mode: "quorum", validators: "validator", q: null } as const;
const single = { mode: "single", validator: "ana" } as const;
const WRONG: readonly (readonly [title: string, branches: Record<string, Canonical>, message: RegExp])[] = [
  ["a q that can never be reached", { main: branchPolicy({ ...quorum, q: 4 }) }, /can never agree/],
  ["a q of two disjoint quorums", { main: branchPolicy({ ...quorum, q: 1 }) }, /two disjoint quorums/],
  ["validators of a role that is not defined", { main: branchPolicy({ ...quorum, validators: "king" }) }, /king/],
  ["a validator without a device", { main: branchPolicy({ ...single, validator: "dan" }) }, /has no device/],
  ["appenders of a role that is not defined", { main: branchPolicy(single, { appenders: "king" }) }, /king/],
  ["a branch that takes from itself", { main: branchPolicy(single, { mergeFrom: ["main"] }) }, /from itself/],
  ["names out of order", { main: branchPolicy(single, { tests: ["b", "a"] }) }, /out of order/],
  ["a fork that is neither", { main: { ...branchPolicy(single), fork: "maybe" } }, /neither allow nor deny/],
  ["a field of another mode", { main: { ...branchPolicy(single), q: 2 } }, /has the keys/],
  ["a charter that is open", { charter: branchPolicy({ mode: "open" }, { fork: "deny" }) }, /cannot be open/],
  ["a charter that can be forked", { charter: branchPolicy(single) }, /denies forks/],
];

const payload = encodeGenesis(quorumGenesis("crash", null)) as unknown as Pick<Genesis, "branches">;
for (const [title, branches, message] of WRONG) {
  test(`[L16] a genesis is refused with ${title}`, (t) => {
    const bent = { ...payload, branches: { ...payload.branches, ...branches } };
    t.throws(() => parseGenesis(bent), { code: "LEDGER_FORM", message });
  });
}
