/** The dapps of this repository in their containers: membership's merge, then door's, then a forged swipe. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import {
  decide,
  decodePolicy,
  encodeSwipe,
  type PolicyInForce,
  signPolicy,
  swipeEvent,
} from "../../lib/access/index.ts";
import { GdoError, type Hash, type PublicKey, SystemClock, silentLog, toHex } from "../../lib/base/index.ts";
import { type Canonical, keyFromSeed } from "../../lib/codec/index.ts";
import { DappHost, dappState, RuncRuntime } from "../../lib/dapp/index.ts";
import {
  type AppInput,
  type LedgerEntry,
  OverlayState,
  type StateChange,
  type StateView,
} from "../../lib/ledger/index.ts";
import {
  containersMissing,
  giveAway,
  leftBehind,
  makeTestRootfs,
  removeTestRootfs,
} from "../support/dapp-containers.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const mark = `gdo-${process.pid.toString(36)}calls`;
const roots = new Map<string, string>();
const clock = new SystemClock();

for (const name of missing === undefined ? ["membership", "door"] : []) {
  const rootfs = makeTestRootfs();
  cpSync(join("dist/dapps", name), rootfs, { recursive: true });
  giveAway(rootfs);
  roots.set(name, rootfs);
}

anyTest.after.always(() => {
  for (const rootfs of roots.values()) removeTestRootfs(rootfs);
  rmSync(runDir, { recursive: true, force: true });
});

const images = {
  rootfs: async (tree: Hash) => roots.get(tree) ?? "",
  manifestText: async (tree: Hash) => readFileSync(join(roots.get(tree) ?? "", "dapp.yaml"), "utf8"),
  text: async (tree: Hash, path: string) => {
    const file = join(roots.get(tree) ?? "", path);
    if (!existsSync(file)) throw new GdoError("NOT_FOUND", `image ${tree} has no ${path}`);
    return readFileSync(file, "utf8");
  },
};

const nothing: StateView = { get: () => undefined, scan: () => [] };

/** States of both dapps, moved on by each merge. */
class States {
  readonly views = new Map<string, StateView>();
  readonly blobs = new Map<Hash, Uint8Array>();

  at(views = new Map(this.views)) {
    const blob = async (id: Hash): Promise<Uint8Array> => this.blobs.get(id) ?? Promise.reject(new Error(`no ${id}`));
    return dappState((app) => views.get(app) ?? nothing, blob);
  }

  apply(app: string, changes: readonly StateChange[]): void {
    this.views.set(app, new OverlayState(this.views.get(app) ?? nothing, changes));
  }
}

const office = keyFromSeed(new Uint8Array(32).fill(1));
let made = 0;

function entryOf(app: string, acts: [string, Canonical][]): LedgerEntry {
  made += 1;
  const author: PublicKey = office.publicKey;
  const rights = ["append", "members", "door", "policy"];
  const id = made.toString(16).padStart(64, "0") as Hash;
  return {
    id,
    author,
    principal: "office",
    rights,
    timeMs: made,
    app,
    acts: acts.map(([type, body]) => ({ type, body })),
  };
}

function inputOf(height: number, entries: readonly LedgerEntry[]): AppInput {
  return { height, seed: "5".repeat(64) as Hash, entries, events: [], order: entries.map(({ id }) => id) };
}

test("[A2] a day in containers: members, grants, a snapshot, swipes; a forged one fails the test", async (t) => {
  const host = new DappHost({
    runtime: new RuncRuntime({ runDir, mark, log: silentLog }),
    images,
    log: silentLog,
    clock,
  });
  const membership = await host.dapp("membership" as Hash);
  const door = await host.dapp("door" as Hash);
  const states = new States();
  const ref = "a".repeat(32);

  const people = inputOf(1, [
    entryOf("membership", [
      ["person.put", { id: "ada", name: "Ada", level: -1, status: "active" }],
      ["credential.put", { ref, person: "ada", status: "active" }],
    ]),
    entryOf("membership", [["credential.put", { ref: "b".repeat(32), person: "eve", status: "active" }]]),
  ]);
  const before = states.at();
  const reduced = await membership.reduce(people, before);
  t.deepEqual(
    reduced.outcomes.map((outcome) => outcome.void),
    [undefined, "credential.put: there is no person eve"],
  );
  states.apply("membership", reduced.changes);
  t.deepEqual(await membership.test(people, { before, after: states.at() }), { verdict: "PASS" });
  t.like(await membership.query("count", null, states.at()), { people: 1, credentials: { active: 1 } });

  const grants = inputOf(2, [entryOf("door", [["grant.set", { door: "front" }]])]);
  states.apply("door", (await door.reduce(grants, states.at())).changes);
  const now = clock.nowMs();
  const edition = { generation: 1, height: 2, issuedMs: now, softMs: now + 1e6, hardMs: now + 2e6 };
  const { policy: bytes } = (await door.query("policy", edition, states.at())) as { policy: Uint8Array };
  const inForce: PolicyInForce = { id: "c".repeat(64) as Hash, policy: decodePolicy(bytes) };
  states.blobs.set(inForce.id, bytes);

  const signature = toHex(signPolicy(bytes, office).signature);
  const published = { policy: inForce.id, generation: 1, height: 2, issuer: office.publicKey, signature };
  const circumstances = {
    door: "front",
    reader: "r",
    at: now,
    quality: "system",
    mono: 2n ** 60n,
    boot: 1,
    bits: 26,
    latencyUs: 1,
  } as const;
  const decision = decide(inForce, { frame: { ok: true }, ref, door: "front", wallMs: now, clockQuality: "system" });
  const swipe = encodeSwipe(swipeEvent(circumstances, decision)) as Record<string, Canonical>;
  t.is(swipe.outcome, "grant");

  const day = async (...swipes: Canonical[]) => {
    const entries = [
      entryOf("door", [["policy.publish", published]]),
      ...swipes.map((body) => entryOf("door", [["swipe", body]])),
    ];
    const input = inputOf(3, entries);
    const { outcomes, changes } = await door.reduce(input, states.at());
    t.deepEqual(
      outcomes.map((outcome) => outcome.void),
      entries.map(() => undefined),
    );
    const views = new Map(states.views).set("door", new OverlayState(states.views.get("door") ?? nothing, changes));
    return { verdict: await door.test(input, { before: states.at(), after: states.at(views) }), entries };
  };
  t.deepEqual((await day(swipe)).verdict, { verdict: "PASS" });
  const forged = await day(swipe, { ...swipe, cred: "d".repeat(32), person: "ada" });
  t.deepEqual(forged.verdict, {
    verdict: "FAIL",
    findings: [`entry ${forged.entries[2]?.id} of office: swipe outcome is grant, but deny follows`],
  });

  await host.close();
  t.deepEqual(leftBehind(mark, runDir), []);
});
