import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { encodePolicy, encodeSignedPolicy, signPolicy } from "../../lib/access/index.ts";
import { DoorPolicy } from "../../lib/agent/door/policy.ts";
import { hashOf32 } from "../../lib/base/index.ts";
import { generateKey, type KeyPair, verifySignature } from "../../lib/codec/index.ts";
import { source } from "../support/policy-fixtures.ts";

const issuer = generateKey().pair;
const policyOf = (generation: number, signer: KeyPair = issuer): Uint8Array =>
  encodeSignedPolicy(signPolicy(encodePolicy(source({ generation })), signer));

/** One door over several starts: the folder and what its database remembers stay. */
function setup(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), "gdo-policy-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "door-policy.bin");
  let remembered = 0;
  const start = (): DoorPolicy =>
    new DoorPolicy({
      path,
      issuers: [issuer.publicKey],
      verify: verifySignature,
      policyId: async (bytes) => hashOf32(createHash("sha256").update(bytes).digest()),
      readGeneration: () => remembered,
      writeGeneration: (generation) => {
        remembered = generation;
      },
    });
  return { path, start };
}

const generationOf = (policy: DoorPolicy): number | undefined => policy.inForce?.policy.generation;

test("door policy: a newer one is taken over, kept, and in force after the next start", async (t) => {
  const { path, start } = setup(t);
  const policy = start();
  t.is((await policy.load()).type, "known");
  t.is((await policy.take(policyOf(3))).type, "swapped");
  t.is((await policy.take(policyOf(4))).type, "swapped");
  t.deepEqual(new Uint8Array(readFileSync(path)), policyOf(4));
  const next = start();
  t.is((await next.load()).type, "swapped");
  t.is(generationOf(next), 4);
  t.is((await next.take(policyOf(4))).type, "known");
});

test("door policy: a roll-back is refused and the old one stays", async (t) => {
  const { path, start } = setup(t);
  const policy = start();
  await policy.take(policyOf(5));
  t.like(await policy.take(policyOf(4)), { type: "refused" });
  const sameNumber = encodeSignedPolicy(signPolicy(encodePolicy(source({ generation: 5, height: 99 })), issuer));
  t.like(await policy.take(sameNumber), { type: "refused" });
  t.is(generationOf(policy), 5);
  t.deepEqual(new Uint8Array(readFileSync(path)), policyOf(5));
});

test("door policy: an old file put back is refused at start, and the newest may come again", async (t) => {
  const { path, start } = setup(t);
  await start().take(policyOf(5));
  writeFileSync(path, policyOf(4));
  const policy = start();
  t.like(await policy.load(), { type: "refused" });
  t.is(policy.inForce, undefined);
  t.like(await policy.take(policyOf(4)), { type: "refused" });
  t.is((await policy.take(policyOf(5))).type, "swapped");
});

test("door policy: torn bytes are refused, wherever they end, and the old one stays", async (t) => {
  const { path, start } = setup(t);
  const policy = start();
  await policy.take(policyOf(5));
  const next = policyOf(6);
  for (let length = 0; length < next.length; length += 7)
    t.is((await policy.take(next.slice(0, length))).type, "refused");
  t.is(generationOf(policy), 5);
  t.deepEqual(new Uint8Array(readFileSync(path)), policyOf(5));
  writeFileSync(path, policyOf(5).slice(0, -1));
  t.like(await start().load(), { type: "refused" });
});

test("door policy: another's signature, or a changed byte, is refused", async (t) => {
  const { path, start } = setup(t);
  const policy = start();
  t.like(await policy.take(policyOf(9, generateKey().pair)), { type: "refused" });
  const bytes = policyOf(9);
  for (let at = 0; at < bytes.length; at += 5) {
    const changed = bytes.map((byte, index) => (index === at ? byte ^ 64 : byte));
    t.is((await policy.take(changed)).type, "refused", `byte ${at}`);
  }
  t.is(policy.inForce, undefined);
  t.false(existsSync(path));
});

test("door policy: of two that come at once the newer one ends up in force", async (t) => {
  const { start } = setup(t);
  for (const [first, second] of [
    [7, 8],
    [8, 7],
  ] as const) {
    const policy = start();
    await Promise.all([policy.take(policyOf(first)), policy.take(policyOf(second))]);
    t.is(generationOf(policy), 8);
  }
});
