/** Making homes: a new organisation, or one more device of an organisation that is there. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { GdoError, type Hash, type PublicKey, SystemClock, toHex } from "../../base/index.ts";
import {
  type Block,
  type Canonical,
  decodeBlock,
  encodeEnvelope,
  generateKey,
  type KeyPair,
  keyFromSeed,
  signBlock,
  verifyBlock,
} from "../../codec/index.ts";
import { branchPolicy, encodeGenesis, type FaultModel, type Genesis, parseGenesis } from "../../ledger/index.ts";
import { type Config, parseConfig } from "./config.ts";
import { createHome, type HomePaths, homePaths, readSecret, writeSecret } from "./home.ts";

/** Rights of the first principal. A later issue grants them apart; a device that only records has `append`. */
const FOUNDER_RIGHTS = ["accounts", "append", "door", "govern", "members", "policy", "training", "validate"];

/** Incarnation of the genesis block's own one-block log. */
const GENESIS_LOG = "0000000000000000";

export interface InitOptions {
  readonly root: string;
  readonly organisation: string;
  readonly nodeName: string;
  /** What may go wrong with several validators; default byzantine. Nothing changes it later. */
  readonly fault?: FaultModel;
  readonly config?: Partial<Config>;
}

function genesisOf(
  { organisation, nodeName: principal, fault = "byzantine" }: InitOptions,
  devices: readonly PublicKey[],
): Genesis {
  return {
    name: organisation,
    fault,
    principals: [{ id: principal, devices: [...devices], roles: ["founder"], recovery: null }],
    roles: { founder: FOUNDER_RIGHTS, device: ["append"] },
    branches: {
      charter: branchPolicy({ mode: "single", validator: principal }, { fork: "deny" }),
      main: branchPolicy({ mode: "single", validator: principal }),
    },
    limits: {},
  };
}

function makeKey(path: string): ReturnType<typeof generateKey>["pair"] {
  const { pair, seed } = generateKey();
  writeSecret(path, toHex(seed));
  return pair;
}

function writeConfig(paths: HomePaths, config: Partial<Config>): void {
  const text = stringify(config);
  parseConfig(text, paths.config);
  writeFileSync(paths.config, text, { flush: true });
}

/** Founds an organisation: keys, charter with one principal, branch `main` in mode single. USAGE for a name that no charter may have. */
export async function initHome(
  options: InitOptions,
): Promise<{ organisation: Hash; nodeKey: PublicKey; doorKey?: PublicKey }> {
  const config = { name: options.nodeName, ...options.config };
  const node = generateKey();
  const door = config.door === undefined ? undefined : generateKey();
  const block = foundingBlock(options, node.pair, door === undefined ? [] : [door.pair.publicKey]);
  const paths = createHome(options.root); // Before it nothing is made, so that a name can be mended.
  writeConfig(paths, config);
  writeSecret(paths.nodeKey, toHex(node.seed));
  if (door !== undefined) writeSecret(paths.doorKey, toHex(door.seed));
  writeSecret(paths.credentialKey, toHex(randomBytes(32)));
  // Last: this file is what makes the folder a home, so an interrupted init can be seen.
  writeFileSync(paths.charter, encodeEnvelope(block), { flag: "wx", flush: true });
  const doorKey = door?.pair.publicKey;
  return { organisation: block.id, nodeKey: node.pair.publicKey, ...(doorKey === undefined ? {} : { doorKey }) };
}

function foundingBlock(options: InitOptions, pair: KeyPair, others: readonly PublicKey[]): Block {
  const d = encodeGenesisOf(options, [pair.publicKey, ...others]);
  const t = [new SystemClock().nowMs(), null, 0] as const;
  return signBlock(
    { v: 1, k: "charter", o: null, a: pair.publicKey, l: GENESIS_LOG, n: 0, b: null, p: [], c: 1, t, d },
    pair,
  );
}

function encodeGenesisOf(options: InitOptions, devices: readonly PublicKey[]): Canonical {
  try {
    return encodeGenesis(genesisOf(options, devices));
  } catch (cause) {
    if (cause instanceof GdoError) throw new GdoError("USAGE", cause.message, { cause, hint: "gdo init --help" });
    throw cause;
  }
}

export interface JoinOptions {
  readonly root: string;
  /** Envelope of the organisation's charter block. */
  readonly charterEnvelope: Uint8Array;
  /** The organisation's credential key, 32 bytes [A6]. */
  readonly credentialKey: Uint8Array;
  readonly config: Partial<Config> & { readonly name: string };
}

/** Makes the home of a further device. Its keys mean nothing until the charter admits them; one may be reserved. */
export async function joinHome(options: JoinOptions): Promise<{ nodeKey: PublicKey; doorKey?: PublicKey }> {
  const charter = checkCharter(decodeBlock(options.charterEnvelope), "the charter handed over");
  const paths = createHome(options.root);
  writeConfig(paths, options.config);
  const nodeKey = reservedKey(paths).publicKey;
  const doorKey = options.config.door === undefined ? undefined : makeKey(paths.doorKey).publicKey;
  writeSecret(paths.credentialKey, toHex(options.credentialKey));
  writeFileSync(paths.charter, encodeEnvelope(charter), { flag: "wx", flush: true });
  return { nodeKey, ...(doorKey === undefined ? {} : { doorKey }) };
}

/** The key of a home that is yet to be: made once, so that who asks again to join is still the same device. */
export function reserveKey(root: string): KeyPair {
  return reservedKey(createHome(root));
}

/** This device's key; made, and kept for `gdo join`, where there is no home yet. */
export function deviceKey(root: string): { readonly key: PublicKey; readonly isNew: boolean } {
  const paths = homePaths(root);
  const isNew = !existsSync(paths.nodeKey);
  const { publicKey } = existsSync(paths.charter) ? readNodeKey(paths) : reserveKey(root);
  return { key: publicKey, isNew };
}

function reservedKey({ nodeKey }: HomePaths): KeyPair {
  return existsSync(nodeKey) ? keyFromSeed(readSecret(nodeKey)) : makeKey(nodeKey);
}

function checkCharter(block: Block, what: string): Block {
  if (block.k !== "charter" || !verifyBlock(block))
    throw new GdoError("LEDGER_SIGNATURE", `${what} is not a signed charter block`);
  parseGenesis(block.d);
  return block;
}

/** The one block that a home trusts without further proof; checked again at each start. */
export function readCharter(paths: HomePaths): Block {
  return checkCharter(decodeBlock(new Uint8Array(readFileSync(paths.charter))), paths.charter);
}

export function readNodeKey(paths: HomePaths): ReturnType<typeof keyFromSeed> {
  return keyFromSeed(readSecret(paths.nodeKey));
}
