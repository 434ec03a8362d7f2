/**
 * What dapps say on standard error and what became of them, a file for each: NAME.log, and NAME.log.1 to
 * NAME.log.3 as it grew before. Each line begins with its time. Rules: docs/design/dapps.md.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, GdoError, type Log } from "../../base/index.ts";
import type { DappJournal } from "../../dapp/index.ts";
import { homeRoot, openHome } from "../home/home.ts";

const FILE_BYTES_MAX = 1024 * 1024;
const OLD_FILES_KEPT = 3;
/** What would move a terminal's cursor, or worse, when somebody reads the log. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

interface OpenLog {
  readonly file: number;
  bytes: number;
}

export interface DappLogsOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Size at which a file becomes an old one; 1 MiB by default. */
  readonly bytesMax?: number;
}

export class DappLogs implements DappJournal {
  readonly #options: DappLogsOptions;
  readonly #open = new Map<string, OpenLog>();

  constructor(options: DappLogsOptions) {
    this.#options = options;
  }

  /** One line. A disk that takes no more costs the line, not the dapp. */
  write(dapp: string, text: string): void {
    const line = `${new Date(this.#options.clock.nowMs()).toISOString()} ${text.replace(CONTROL, "\ufffd")}\n`;
    try {
      this.#append(dapp, line);
    } catch (cause) {
      this.#options.log.warn("a dapp's log cannot be written", { dapp, why: String(cause) });
    }
  }

  #append(dapp: string, line: string): void {
    const { bytesMax = FILE_BYTES_MAX } = this.#options;
    const bytes = Buffer.byteLength(line);
    let log = this.#logOf(dapp);
    if (log.bytes > 0 && log.bytes + bytes > bytesMax) log = this.#rotate(dapp, log);
    writeSync(log.file, line);
    log.bytes += bytes;
  }

  close(): void {
    for (const { file } of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #logOf(dapp: string): OpenLog {
    const known = this.#open.get(dapp);
    if (known !== undefined) return known;
    mkdirSync(this.#options.dir, { recursive: true, mode: 0o700 });
    const file = openSync(dappLogPath(this.#options.dir, dapp), "a", 0o600);
    const log = { file, bytes: fstatSync(file).size };
    this.#open.set(dapp, log);
    return log;
  }

  #rotate(dapp: string, { file }: OpenLog): OpenLog {
    closeSync(file);
    this.#open.delete(dapp);
    const path = dappLogPath(this.#options.dir, dapp);
    for (let age = OLD_FILES_KEPT; age >= 1; age -= 1) {
      const younger = age === 1 ? path : `${path}.${age - 1}`;
      if (existsSync(younger)) renameSync(younger, `${path}.${age}`);
    }
    return this.#logOf(dapp);
  }
}

/** The newest file of a dapp's log. */
function dappLogPath(dir: string, dapp: string): string {
  return join(dir, `${dapp}.log`);
}

/** The log of a dapp of this home, whether its agent runs or not. HOME_MISSING, NOT_FOUND. */
export function openDappLog(home: string | undefined, dapp: string): DappLogReader {
  return new DappLogReader(openHome(homeRoot(home)).dappLogs, dapp);
}

/** The lines of a dapp's log as they are now, then as they come. */
export class DappLogReader {
  readonly #path: string;
  #file: number | undefined;
  #held = "";

  /** NOT_FOUND where the dapp has said nothing yet, or is none. */
  constructor(dir: string, dapp: string) {
    this.#path = dappLogPath(dir, dapp);
    if (!/^[a-z][a-z0-9-]*$/.test(dapp) || !existsSync(this.#path))
      throw new GdoError("NOT_FOUND", `${dapp} has no log here`, { hint: "gdo status" });
  }

  /** The last lines, of older files too. */
  last(count: number): string[] {
    const lines = this.next();
    for (let age = 1; lines.length < count && existsSync(`${this.#path}.${age}`); age += 1) {
      const file = openSync(`${this.#path}.${age}`, "r");
      lines.unshift(...restOf(file).split("\n").slice(0, -1));
      closeSync(file);
    }
    return count === 0 ? [] : lines.slice(-count);
  }

  /** Whole lines that have come since; also those written just before the file became an old one. */
  next(): string[] {
    this.#file ??= openSync(this.#path, "r");
    const text = this.#held + restOf(this.#file);
    const lines = text.split("\n");
    this.#held = lines.pop() ?? "";
    if (!this.#isStillThere(this.#file)) {
      closeSync(this.#file);
      this.#file = undefined;
      if (existsSync(this.#path)) lines.push(...this.next());
    }
    return lines;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #isStillThere(file: number): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(file).ino;
  }
}

/** What there is after where the file was read to. */
function restOf(file: number): string {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(64 * 1024);
    const size = readSync(file, piece);
    if (size === 0) return Buffer.concat(pieces).toString("utf8");
    pieces.push(piece.subarray(0, size));
  }
}
