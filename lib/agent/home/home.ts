/**
 * The home folder: what lies where, who may read it, and that only one process writes to it. No
 * other file builds a path inside a home. Rules: docs/design/cli.md.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { GdoError } from "../../base/index.ts";

export interface HomePaths {
  readonly root: string;
  readonly config: string;
  readonly keys: string;
  /** Seed of the node's signing key, hex. */
  readonly nodeKey: string;
  /** Seed of the door process's signing key, hex; absent where there is no door. */
  readonly doorKey: string;
  /** The organisation's credential key, hex, 32 bytes [A6]. */
  readonly credentialKey: string;
  /** Envelope of the charter genesis: the one block that a home trusts without proof. */
  readonly charter: string;
  readonly ledgerDb: string;
  readonly doorDb: string;
  /** The signed policy snapshot that the door decides from. */
  readonly doorPolicy: string;
  readonly packs: string;
  /** What is kept by name: snapshots. */
  readonly refs: string;
  readonly images: string;
  /** What each dapp says, a file each. */
  readonly dappLogs: string;
  /** Made anew at each start of the node, and of the door process: tells this home from a copy [L8]. */
  readonly nodeMark: string;
  readonly doorMark: string;
  readonly run: string;
  /** How far a verification came that was ended early. */
  readonly verifyPoint: string;
  readonly lock: string;
  readonly doorLock: string;
  /** JSON lines: commands to the running agent. */
  readonly controlSocket: string;
  /** Frames: the door process's link to its agent. */
  readonly doorSocket: string;
}

/** `--home`, else GDO_HOME, else the system's place for root, else the user's data folder. */
export function homeRoot(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (flag !== undefined) return resolve(flag);
  if (env.GDO_HOME) return resolve(env.GDO_HOME);
  if (process.getuid?.() === 0) return "/var/lib/gdo";
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "gdo");
}

export function homePaths(root: string): HomePaths {
  const keys = join(root, "keys");
  const run = join(root, "run");
  return {
    root,
    config: join(root, "config.yaml"),
    keys,
    nodeKey: join(keys, "node.key"),
    doorKey: join(keys, "door.key"),
    credentialKey: join(keys, "credential.key"),
    charter: join(keys, "charter.block"),
    ledgerDb: join(root, "ledger.db"),
    doorDb: join(root, "door.db"),
    doorPolicy: join(root, "door-policy.bin"),
    packs: join(root, "packs"),
    refs: join(root, "refs"),
    images: join(root, "images"),
    dappLogs: join(root, "logs"),
    nodeMark: join(root, "node.mark"),
    doorMark: join(root, "door.mark"),
    run,
    verifyPoint: join(run, "verify.json"),
    lock: join(run, "agent.lock"),
    doorLock: join(run, "door.lock"),
    controlSocket: join(run, "control.sock"),
    doorSocket: join(run, "agent.sock"),
  };
}

/** Longest path that a unix socket address takes on Linux, less the final NUL. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Makes the folders of a new home. HOME_EXISTS if there is one, USAGE if its sockets could not be bound. */
export function createHome(root: string): HomePaths {
  const paths = homePaths(root);
  if (existsSync(paths.charter)) {
    throw new GdoError("HOME_EXISTS", `${root} is already a home`, { hint: `gdo --home ${root} status` });
  }
  if (Buffer.byteLength(paths.controlSocket) > SOCKET_PATH_BYTES_MAX) {
    throw new GdoError("USAGE", `the path of the home is too long for its sockets: ${root}`, {
      hint: "choose a shorter --home",
    });
  }
  for (const folder of [paths.keys, paths.packs, paths.images, paths.run]) makeFolder(folder);
  chmodSync(paths.keys, 0o700);
  return paths;
}

/** One name at a time: under /proc the recursive mkdir of Node.js never returns. PERMISSION, IO. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isDenied = code === "EACCES" || code === "EPERM" || code === "EROFS";
    throw new GdoError(isDenied ? "PERMISSION" : "IO", `cannot make the folder ${path}: ${code}`, { cause });
  }
}

/** The paths of an existing home; HOME_MISSING with the command that makes one. */
export function openHome(root: string): HomePaths {
  const paths = homePaths(root);
  if (!existsSync(paths.charter)) {
    throw new GdoError("HOME_MISSING", `no gdo home at ${root}`, { hint: `gdo --home ${root} init NAME` });
  }
  makeFolder(paths.run);
  return paths;
}

/** Writes a secret so that nobody else can read it at any moment. One that an interrupted init left is replaced. */
export function writeSecret(path: string, hex: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, `${hex}\n`, { mode: 0o600, flag: "wx", flush: true });
}

/** Reads 32 secret bytes. KEY_INVALID when absent, malformed, or readable by others. */
export function readSecret(path: string): Uint8Array {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new GdoError("KEY_INVALID", `${path} can be read by others`, { hint: `chmod 600 ${path}` });
    }
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    if (cause instanceof GdoError) throw cause;
    throw new GdoError("KEY_INVALID", `cannot read the key ${path}`, { cause });
  }
  if (!/^[0-9a-f]{64}$/.test(text)) throw new GdoError("KEY_INVALID", `${path} does not hold a key of 64 hex digits`);
  return new Uint8Array(Buffer.from(text, "hex"));
}
