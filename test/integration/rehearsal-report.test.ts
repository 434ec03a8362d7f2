/** The report of a rehearsal on the nodes of those who are to vote, without a network between them. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { govern } from "../../lib/agent/govern.ts";
import { initHome, joinHome, openHome, readSecret } from "../../lib/agent/index.ts";
import { GdoNode } from "../../lib/agent/node.ts";
import { Upkeep } from "../../lib/agent/storage/upkeep.ts";
import { type Hash, type PublicKey, silentLog, utf8 } from "../../lib/base/index.ts";
import { putBlob, readBlobBytes, readObjects } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const BYTES_MAX = 1 << 24;

/** Gives a node all that another has signed, and every object that it asks for. */
async function pull(to: GdoNode, from: GdoNode): Promise<void> {
  const asked: Hash[] = [];
  to.listener = { ...to.listener, request: (ids) => void asked.push(...ids) };
  const { db, ownLog, store } = from.parts;
  await to.chain.take(db.range(ownLog.author, ownLog.incarnation, 0, 1000, BYTES_MAX));
  for (let turn = 0; turn < 20; turn += 1) {
    const { objects } = await readObjects(store, asked.splice(0), BYTES_MAX);
    for (const object of objects) await to.fetcher.keep(object);
    await to.chain.advance();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("[D8] [T11] a rehearsal's report comes to whoever may vote, to nobody else, and stays when the store is cleaned", async (t) => {
  const under = await temporaryFolder(t);
  const root = join(under, "office");
  await initHome({ root, organisation: "Test space", nodeName: "office", config: {} });
  const paths = openHome(root);
  const joined = async (name: string): Promise<{ node: GdoNode; key: PublicKey }> => {
    const home = join(under, name);
    const { nodeKey } = await joinHome({
      root: home,
      charterEnvelope: new Uint8Array(readFileSync(paths.charter)),
      credentialKey: readSecret(paths.credentialKey),
      config: { name },
    });
    const node = await GdoNode.open(home, silentLog);
    t.teardown(() => node.close());
    return { node, key: nodeKey };
  };
  const office = await GdoNode.open(root, silentLog);
  t.teardown(() => office.close());
  const [desk, door] = [await joined("desk"), await joined("door")];
  govern(office, [
    { type: "principal.add", body: { id: "door", roles: ["device"] } },
    { type: "device.add", body: { key: door.key, name: "door", principal: "door" } },
    { type: "device.add", body: { key: desk.key, name: "desk", principal: "office" } },
  ]);
  await office.merge("charter");
  for (const { node } of [desk, door]) await pull(node, office);
  t.is(desk.node.parts.db.head("charter")?.h, 1);

  const { store } = office.parts;
  const text = utf8('{"changed": []}');
  const { id: rehearsal } = await putBlob(store, text);
  const { id: other } = await putBlob(store, randomBytes(1 << 20)); // Named by nobody; most of its pack.
  const { id: tree } = await putBlob(store, utf8("an image"));
  await store.commit();
  govern(office, [{ type: "dapp.install", body: { name: "quota", version: "1.0.0", tree, rehearsal } }]);
  for (const { node } of [desk, door]) await pull(node, office);
  t.false(door.node.parts.store.has(rehearsal));
  for (const node of [office, desk.node]) {
    await new Upkeep(node.parts, () => node.fetcher.needed()).gc({ dryRun: false });
    t.deepEqual(new Uint8Array(await readBlobBytes(node.parts.store, rehearsal, BYTES_MAX)), text);
    t.false(node.parts.store.has(other), "what nothing names goes");
  }
});
