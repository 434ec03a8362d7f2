/** A dapp's folder into the store as an image: its base image with the dapp laid over it. */
import { rmSync } from "node:fs";
import type { Hash } from "../../base/index.ts";
import type { Manifest } from "../../dapp/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import type { ChunkStore } from "../../store/index.ts";
import { openProject, stageProject } from "../dapp-kit/project.ts";
import { ImageBuilder } from "../image/build.ts";

export interface StoredDapp {
  readonly manifest: Manifest;
  readonly tree: Hash;
}

/**
 * DAPP_MANIFEST when the folder holds no dapp, INPUT_INVALID for a base image that is not known or a program
 * that cannot be built, NOT_FOUND for packages that cannot be had.
 */
export async function storeDapp(store: ChunkStore, db: LedgerDb, folder: string): Promise<StoredDapp> {
  const project = await openProject(folder);
  const staged = await stageProject(project);
  try {
    const tree = await new ImageBuilder({ store, db }).dapp(project.manifest.image, staged);
    return { manifest: project.manifest, tree };
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}
