/** What `gdo person rotate` and `recover` record: a person's new devices, and the recovery key's word for them. */
import { existsSync } from "node:fs";
import { GdoError } from "../../../base/index.ts";
import type { OptionSpec } from "../../command.ts";
import { collected } from "../../values.ts";

interface NamedKey {
  readonly key: string;
  readonly name: string;
}

/** As the charter's operation has it; hex. */
export interface NewKeys {
  readonly principal: string;
  readonly keys: readonly NamedKey[];
  readonly recovery: string | null;
  readonly proof: { readonly key: string; readonly signature: string } | null;
}

export const KEY_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--device <name=key>",
    about: "a new device by its name and key (gdo device key, on it); may be given several times",
    parse: collected,
  },
  { flags: "--recovery-key <file>", about: "the recovery key that the person has: it signs" },
  { flags: "--new-recovery-key <file>", about: "make the next recovery key in this new file; keep it apart" },
];

/** NAME=KEY as given. USAGE. */
function namedKeys(given: unknown): NamedKey[] {
  const all = (given ?? []) as readonly string[];
  if (all.length === 0)
    throw new GdoError("USAGE", "it needs the person's new devices", {
      hint: "--device NAME=KEY, with the key that gdo device key shows on that device",
    });
  return all.map((text) => {
    const [, name = "", key = ""] = /^([a-z0-9][a-z0-9._-]*)=([0-9a-f]{64})$/.exec(text) ?? [];
    if (key !== "") return { key, name };
    throw new GdoError("USAGE", `--device takes NAME=KEY, the key in 64 hex digits, not '${text}'`, {
      hint: "gdo device key, on that device",
    });
  });
}

/** The operation's body. Makes the next recovery key's file, which must not be there yet. KEY_INVALID, REFUSED. */
export async function newKeys(principal: string, options: Readonly<Record<string, unknown>>): Promise<NewKeys> {
  const keys = namedKeys(options["device"]);
  const { keyFromSeed } = await import("../../../codec/index.ts");
  const { recoveryCommitment, recoveryMessage } = await import("../../../ledger/index.ts");
  const { readSecret } = await import("../../../agent/index.ts");
  const { fromHex, toHex } = await import("../../../base/index.ts");
  const commitmentOf = (publicKey: string): string => recoveryCommitment(fromHex(publicKey) as Uint8Array);
  const file = options["recoveryKey"] as string | undefined;
  const pair = file === undefined ? undefined : keyFromSeed(readSecret(file));
  const next = await nextKey(options["newRecoveryKey"] as string | undefined);
  const recovery = next === undefined ? null : commitmentOf(next);
  if (pair === undefined) return { principal, keys, recovery, proof: null };
  const message = recoveryMessage({ principal, keys, recovery }, commitmentOf(pair.publicKey));
  return { principal, keys, recovery, proof: { key: pair.publicKey, signature: toHex(pair.sign(message)) } };
}

async function nextKey(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const { generateKey } = await import("../../../codec/index.ts");
  const { writeSecret } = await import("../../../agent/index.ts");
  const { toHex } = await import("../../../base/index.ts");
  if (existsSync(path))
    throw new GdoError("REFUSED", `${path} is there already, and a recovery key is used once`, {
      hint: "name a new file",
    });
  const { pair, seed } = generateKey();
  writeSecret(path, toHex(seed));
  return pair.publicKey;
}
