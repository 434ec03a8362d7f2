/**
 * What an image must have where its container mounts things. The tool that mounts them follows links as
 * the host sees them, so a link there would show the container a folder of its host [D4].
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { DEVICES } from "./bundle.ts";

const FOLDERS = ["", "dev", "proc", "scratch"];
const FILES = DEVICES.map((name) => `dev/${name}`);

/** What is wrong with the root file system of an image; undefined where all mount points are what they are called. */
export function rootfsFault(rootfs: string): string | undefined {
  const notFolder = FOLDERS.find(
    (name) => lstatSync(join(rootfs, name), { throwIfNoEntry: false })?.isDirectory() !== true,
  );
  if (notFolder !== undefined) return `its /${notFolder} is no folder`;
  const notFile = FILES.find((name) => lstatSync(join(rootfs, name), { throwIfNoEntry: false })?.isFile() !== true);
  return notFile === undefined ? undefined : `its /${notFile} is no file`;
}
