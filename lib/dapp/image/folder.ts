/** A folder of this machine as part of an image: links are kept as links, devices and sockets left out. */
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { checkedMode, type ImageFolder, type ImageNode, newFolder } from "./tree.ts";

/** Reads names and kinds only; files are read when the image is stored. */
export function readFolder(folder: string): ImageFolder {
  const read = newFolder();
  for (const name of readdirSync(folder)) {
    const node = readNode(join(folder, name));
    if (node !== undefined) read.entries.set(name, node);
  }
  return read;
}

/** What is at a path; undefined for what has no place in an image. */
export function readNode(path: string): ImageNode | undefined {
  const stats = lstatSync(path);
  if (stats.isDirectory()) return readFolder(path);
  if (stats.isSymbolicLink()) return { type: "link", target: readlinkSync(path) };
  return stats.isFile() ? { type: "file", mode: checkedMode(stats.mode), content: { path } } : undefined;
}
