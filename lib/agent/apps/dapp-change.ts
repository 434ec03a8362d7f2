/** Dapps into the charter and out of it: install or upgrade after a rehearsal, roll back, remove. */
import { statSync } from "node:fs";
import { GdoError, type Hash } from "../../base/index.ts";
import type { CanonicalMap } from "../../codec/index.ts";
import { MAIN_BRANCH } from "../../ledger/index.ts";
import { govern } from "../govern.ts";
import type { GdoNode } from "../node.ts";
import { storeDapp } from "./dapp-install.ts";
import { failureOf, keepRehearsal, type Rehearsal, rehearse } from "./rehearse.ts";

export interface DappChange {
  readonly name: string;
  readonly version: string;
  readonly tree: Hash;
  /** Of the charter; absent when it was only rehearsed. */
  readonly entry?: Hash;
  readonly rehearsal: Rehearsal;
}

/**
 * [D8] Proposes a folder's dapp, with the id of its rehearsal. REFUSED when it does not get through the history: what
 * is installed stays. As storeDapp and govern.
 */
export async function installDapp(node: GdoNode, folder: string, isOnlyRehearsed: boolean): Promise<DappChange> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new GdoError("NOT_FOUND", `no such folder: ${folder}`);
  const { manifest, tree } = await storeDapp(node.parts.store, node.parts.db, folder);
  const { name, version } = manifest;
  return propose(node, { name, version, tree }, isOnlyRehearsed);
}

/** [D8] Proposes what was installed before. NOT_FOUND when there was nothing else. */
export async function rollBackDapp(node: GdoNode, name: string): Promise<DappChange> {
  const { db } = node.parts;
  const key = `dapp/${name}`;
  const now = db.charterAt().get(key) as CanonicalMap | undefined;
  if (now === undefined)
    throw new GdoError("NOT_FOUND", `no dapp is called ${name}`, { hint: "gdo dapp install FOLDER" });
  for (let h = (db.head("charter")?.h ?? 0) - 1; h >= 0; h -= 1) {
    const then = db.charterAt(h).get(key) as CanonicalMap | undefined;
    if (then === undefined || then["tree"] === now["tree"]) continue;
    return propose(node, { name, version: String(then["version"]), tree: then["tree"] as Hash }, false);
  }
  throw new GdoError("NOT_FOUND", `${name} has had no other version`, { hint: "gdo dapp remove" });
}

/** Proposes its removal; its state stays, and its entries count for nothing from then on. */
export function removeDapp(node: GdoNode, name: string): { readonly name: string; readonly entry: Hash } {
  return { name, entry: govern(node, [{ type: "dapp.remove", body: { name } }]).id };
}

async function propose(
  node: GdoNode,
  { name, version, tree }: { name: string; version: string; tree: Hash },
  isOnlyRehearsed: boolean,
): Promise<DappChange> {
  const rehearsal = await rehearse(node, name, tree);
  if (isOnlyRehearsed) return { name, version, tree, rehearsal };
  const failure = failureOf(rehearsal);
  if (failure !== undefined) {
    const on = failure.branch === MAIN_BRANCH ? "" : ` of ${failure.branch}`;
    const why = `${name} ${version} does not get through the history: at height ${failure.h}${on}: ${failure.why}`;
    throw new GdoError("REFUSED", why, { hint: `gdo dapp logs ${name}` });
  }
  const type = node.treeOf(name) === undefined ? "dapp.install" : "dapp.upgrade";
  const body = { name, version, tree, rehearsal: await keepRehearsal(node, rehearsal) };
  return { name, version, tree, entry: govern(node, [{ type, body }]).id, rehearsal };
}
