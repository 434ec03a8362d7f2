/** A folder of this machine as part of an image: links are kept as links, devices and sockets left out. */
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { checkedMode, type ImageFolder, newFolder } from "./tree.ts";

/** Reads names and kinds only; files are read when the image is stored. */
export function readFolder(folder: string): ImageFolder {
  const read = newFolder();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) read.entries.set(entry.name, readFolder(path));
    else if (entry.isSymbolicLink()) read.entries.set(entry.name, { type: "link", target: readlinkSync(path) });
    else if (entry.isFile()) {
      const mode = checkedMode(lstatSync(path).mode);
      read.entries.set(entry.name, { type: "file", mode, content: { path } });
    }
  }
  return read;
}
