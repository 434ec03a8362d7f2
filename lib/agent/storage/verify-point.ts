/** Where a full verification was when it ended early, in a file of the home: the next one goes on there [T11]. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as z from "zod";
import type { VerifyPoint } from "../../store/index.ts";

const POINT = z.strictObject({
  startedMs: z.int().min(0),
  nextPack: z.int().min(0),
  damagedPacks: z.array(z.int().min(0)),
  objects: z.int().min(0),
});

export type KeptPoint = VerifyPoint & { readonly startedMs: number };

/** None when there is no such file, or it is not as it was written: then all is read. */
export function readPoint(path: string): KeptPoint | undefined {
  try {
    return POINT.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

export function writePoint(path: string, point: KeptPoint): void {
  writeFileSync(`${path}.new`, JSON.stringify(point), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removePoint(path: string): void {
  rmSync(path, { force: true });
}
