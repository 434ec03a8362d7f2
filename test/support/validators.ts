/** Validators as real processes: `gdo agent` on homes of one organisation, in mode quorum, at a broker of their own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import { build } from "esbuild";
import { stringify } from "yaml";
import { storeDapp } from "../../lib/agent/apps/dapp-install.ts";
import { createHome, homePaths, writeSecret } from "../../lib/agent/home/home.ts";
import { openApi } from "../../lib/agent/index.ts";
import { type PublicKey, toHex } from "../../lib/base/index.ts";
import { type Block, encodeEnvelope, signBlock } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { branchPolicy, encodeGenesis, type Vote } from "../../lib/ledger/index.ts";
import { PackStore } from "../../lib/store/index.ts";
import { Broker } from "../../lib/sync/index.ts";
import { testKey } from "./ledger-fixtures.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const PROJECT = new URL("../../../", import.meta.url); // From dist/test/support.
const GDO = fileURLToPath(new URL("bin/gdo", PROJECT));
const BALLOTS = fileURLToPath(new URL("test/fixtures/dapps/ballots/", PROJECT));
const NAMES = ["ana", "ben", "cleo"] as const;
const run = promisify(execFile);

export interface BranchStatus {
  readonly name: string;
  readonly h: number;
  readonly head?: string;
  readonly pending: number;
  readonly void: number;
  readonly waits?: string;
  readonly away?: readonly string[];
  readonly tolerates?: string;
  readonly round?: { readonly r: number; readonly merge?: string };
}

export class ValidatorProcess {
  readonly name: string;
  readonly root: string;
  readonly events: Record<string, unknown>[] = [];
  readonly #key: PublicKey;
  #process: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(name: string, root: string, key: PublicKey) {
    this.name = name;
    this.root = root;
    this.#key = key;
  }

  /** Until it says that it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [GDO, "--home", this.root, "--json", "agent"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.on("close", resolve));
    let held = "";
    await new Promise<void>((resolve, reject) => {
      child.on("close", (status) => reject(new Error(`${this.name} ended with ${status} before it was ready`)));
      child.stdout?.on("data", (chunk: Buffer) => {
        const pieces = (held + chunk.toString("utf8")).split("\n");
        held = pieces.pop() ?? "";
        for (const piece of pieces) this.events.push(JSON.parse(piece) as Record<string, unknown>);
        if (this.events.some(({ type }) => type === "ready")) resolve();
      });
    });
  }

  /** As a power cut: kill -9. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#process?.kill(signal);
    await this.#ended;
    this.#process = undefined;
    this.events.length = 0;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  async call(method: string, params: unknown = {}): Promise<unknown> {
    const api = await openApi(this.root);
    try {
      return await api.call(method, params);
    } finally {
      await api.close();
    }
  }

  async branch(name = "main"): Promise<BranchStatus> {
    const { branches } = (await this.call("status")) as { branches: BranchStatus[] };
    return branches.find((each) => each.name === name) as BranchStatus;
  }

  append(text: string, branch = "main"): Promise<unknown> {
    return this.call("append", { app: "ballots", acts: [{ type: "ballot", body: text }], branch });
  }

  /** What `gdo` prints for these words at this home. */
  async gdo(...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [GDO, "--home", this.root, ...words]);
    return stdout;
  }

  /** How many votes it has cast at a height. */
  ownVotes(h: number): number {
    return this.votes(h).filter(({ author }) => author === this.#key).length;
  }

  /** All votes of a height that this home holds. */
  votes(h: number): { readonly author: string; readonly vote: Vote }[] {
    const db = LedgerDb.open(join(this.root, "ledger.db"), { readOnly: true });
    try {
      return db.votes("main", h).map(({ author, vote }) => ({ author, vote }));
    } finally {
      db.close();
    }
  }
}

/** Ana governs, and merges trial alone; main, which takes from it, is decided by two of the three, who do not lie. */
function foundation(): Block {
  const keys = NAMES.map((_, index) => testKey(index + 1));
  const d = encodeGenesis({
    name: "Three validators",
    fault: "crash",
    principals: NAMES.map((id, index) => ({
      id,
      devices: [keys[index]?.publicKey ?? testKey(1).publicKey],
      roles: ["member"],
      recovery: null,
    })),
    roles: { member: ["append", "govern", "validate"] },
    branches: {
      charter: branchPolicy({ mode: "single", validator: "ana" }, { fork: "deny" }),
      main: branchPolicy({ mode: "quorum", validators: "member", q: null }, { mergeFrom: ["trial"] }),
      trial: branchPolicy({ mode: "single", validator: "ana" }),
    },
    limits: {},
  });
  const [first = testKey(1)] = keys;
  const log = { a: first.publicKey, l: "0000000000000000", n: 0, b: null, p: [] };
  return signBlock({ v: 1, k: "charter", o: null, ...log, c: 1, t: [0, null, 0], d }, first);
}

export interface Validators {
  readonly ana: ValidatorProcess;
  readonly ben: ValidatorProcess;
  readonly cleo: ValidatorProcess;
  readonly all: readonly ValidatorProcess[];
  /** Folder of the dapp `ballots`, to be installed. */
  readonly ballots: string;
}

/** Three homes and their broker; nobody runs yet. */
export async function makeValidators(t: ExecutionContext): Promise<Validators> {
  const folder = await temporaryFolder(t);
  const broker = await Broker.start({ host: "127.0.0.1", port: 0 });
  t.teardown(() => broker.close());
  const charter = foundation();
  const ballots = await buildBallots(folder);
  const all = NAMES.map((name, index) => {
    const root = join(folder, name);
    const paths = createHome(root);
    const config = {
      name,
      broker: { url: `mqtt://127.0.0.1:${broker.port}` },
      merge: { everyMs: 200 },
      votes: { timeoutMs: 4_000 },
      log: { level: "error" },
    };
    writeFileSync(paths.config, stringify(config));
    writeSecret(paths.nodeKey, toHex(new Uint8Array(32).fill(index + 1)));
    writeSecret(paths.credentialKey, toHex(new Uint8Array(32).fill(9)));
    writeFileSync(paths.charter, encodeEnvelope(charter));
    const validator = new ValidatorProcess(name, root, testKey(index + 1).publicKey);
    t.teardown(() => validator.kill("SIGTERM"));
    return validator;
  });
  const [ana, ben, cleo] = all as [ValidatorProcess, ValidatorProcess, ValidatorProcess];
  // A hundred megabytes of Node.js each: they would come over the broker, too, but that is not what is tested here.
  for (const { root } of all) await holdImage(root, ballots);
  return { ana, ben, cleo, all, ballots };
}

async function holdImage(root: string, folder: string): Promise<void> {
  const { packs, ledgerDb } = homePaths(root);
  const store = await PackStore.open(packs);
  const db = LedgerDb.open(ledgerDb);
  await storeDapp(store, db, folder);
  db.close();
  await store.close();
}

async function buildBallots(folder: string): Promise<string> {
  const result = join(folder, "ballots");
  mkdirSync(join(result, "app"), { recursive: true });
  const outfile = join(result, "app/main.mjs");
  const entryPoints = [join(BALLOTS, "main.ts")];
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", target: "node20" });
  cpSync(join(BALLOTS, "dapp.yaml"), join(result, "dapp.yaml"));
  return result;
}
