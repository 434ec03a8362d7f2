/**
 * What tells a machine and a home from their copies [L8]: the machine's id, the board's and the disk's own
 * numbers, and a mark in the home, a file made anew at every start: its random nonce, and when and where the
 * file system made it. A copy of files has another mark, a copied card another disk or board; only a card put
 * back byte for byte into the same machine looks as if nothing had happened, and there the peers tell.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { GdoError } from "../../base/index.ts";
import type { Place } from "../../ledger/index.ts";
import { META_PLACE } from "../../node/index.ts";

/** What a database remembers by name. */
export interface Memory {
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
}

const META_NEXT = "own.mark.next";
const NONCE_BYTES = 16;

/** The place as it is found at a start. */
export interface FoundPlace {
  readonly place: Place;
  /** Whether this home has been started before, whatever its database remembers. */
  readonly hasRun: boolean;
  /** Makes the mark of this start; the result is what the next one is to find. */
  renew(): Place;
}

/** `mark` is the mark's path; `remembered` the place of the last start. IO when the mark cannot be read. */
export function findPlace(mark: string, memory: Memory): FoundPlace {
  const facts = machineFacts(dirname(mark));
  const [nonce, text] = readMark(mark);
  // A crash came between the mark and the word of it: the nonce alone says that it is ours.
  const isKept = nonce !== undefined && memory.meta(META_PLACE)?.includes(nonce) === true;
  const isAnnounced = nonce !== undefined && !isKept && nonce === memory.meta(META_NEXT);
  return {
    hasRun: nonce !== undefined,
    place: isAnnounced ? facts : { ...facts, mark: text },
    renew: () => ({ ...facts, mark: makeMark(mark, memory) }),
  };
}

function readMark(path: string): [nonce: string | undefined, text: string] {
  try {
    const nonce = readFileSync(path, "utf8").trim();
    return [nonce, markText(path, nonce)];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [undefined, "none"];
    throw new GdoError("IO", `cannot read ${path}`, { cause });
  }
}

/** No restore of files can set when the inode was made and when it was changed last. */
function markText(path: string, nonce: string): string {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [nonce, ino, birthtimeNs, ctimeNs].join(" ");
}

function makeMark(path: string, memory: Memory): string {
  const nonce = randomBytes(NONCE_BYTES).toString("hex");
  memory.setMeta(META_NEXT, nonce);
  const fresh = `${path}.new`;
  const fd = openSync(fresh, "w", 0o644); // No secret; whoever may open the home may read it.
  writeSync(fd, `${nonce}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(fresh, path);
  return markText(path, nonce);
}

const MACHINE = ["/etc/machine-id"];
const BOARD = ["/sys/firmware/devicetree/base/serial-number", "/sys/class/dmi/id/product_uuid"];

function machineFacts(home: string): Place {
  const facts = { machine: firstOf(MACHINE), board: firstOf(BOARD), disk: firstOf(diskFiles(home)) };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** An SD card's CID, a disk's serial number: of the device or of the one whose partition it is. */
function diskFiles(home: string): string[] {
  const { dev } = statSync(home);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  try {
    const block = realpathSync(`/sys/dev/block/${major}:${minor}`);
    return [block, dirname(block)].flatMap((folder) =>
      ["device/cid", "device/wwid", "device/serial", "wwid", "serial"].map((name) => join(folder, name)),
    );
  } catch {
    return []; // No block device of its own: an overlay, a network disk.
  }
}

/** Facts that this process may not read, or that the machine has not, are no facts. */
function firstOf(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    try {
      const text = readFileSync(path, "utf8").replaceAll("\0", "").trim();
      if (text !== "") return text;
    } catch {
      // The next one may say something.
    }
  }
  return undefined;
}
