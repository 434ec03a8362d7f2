/** A dapp's folder into the store as an image: its base image with the dapp laid over it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GdoError, type Hash, isHash } from "../base/index.ts";
import { type Manifest, makeNodeBase, parseManifest } from "../dapp/index.ts";
import type { LedgerDb } from "../db/index.ts";
import { type ChunkStore, mergeTrees, putTree } from "../store/index.ts";

/** The same files give the same tree on any machine and at any time. */
const FIXED = { uid: 0, gid: 0, mtimeNs: 0n } as const;

const META_BASE_NODE = "image.base.node";

export interface StoredDapp {
  readonly manifest: Manifest;
  readonly tree: Hash;
}

/** DAPP_MANIFEST when the folder holds no dapp, INPUT_INVALID for a base image that is not known. */
export async function storeDapp(store: ChunkStore, db: LedgerDb, folder: string): Promise<StoredDapp> {
  const path = join(folder, "dapp.yaml");
  if (!existsSync(path)) throw new GdoError("DAPP_MANIFEST", `there is no dapp.yaml in ${folder}`);
  const manifest = parseManifest(readFileSync(path, "utf8"));
  const own = await putTree(store, folder, { fixed: FIXED });
  const { image } = manifest;
  const under = "oci" in image ? (image.oci as Hash) : await baseTree(store, db, image.base);
  const tree = await mergeTrees(store, [under, own]);
  await store.commit();
  return { manifest, tree };
}

async function baseTree(store: ChunkStore, db: LedgerDb, base: string): Promise<Hash> {
  if (base !== "node") throw new GdoError("INPUT_INVALID", `no base image is called ${base}`, { hint: "base: node" });
  const key = `${META_BASE_NODE}.${process.version}`;
  const known = db.meta(key);
  if (known !== undefined && isHash(known) && store.has(known)) return known;
  const folder = mkdtempSync(join(tmpdir(), "gdo-base-"));
  try {
    makeNodeBase(folder);
    const tree = await putTree(store, folder, { fixed: FIXED });
    await store.commit();
    db.setMeta(key, tree);
    return tree;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
