/**
 * The policy snapshot that the door decides from: taken over only when it is signed by who may, reads
 * well and is newer; written so that a crash leaves the old or the new one, never a torn one. Whatever
 * is refused, the old one stays. Rules: docs/design/door.md.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  decodePolicy,
  decodeSignedPolicy,
  type PolicyInForce,
  type VerifySignature,
  verifySignedPolicy,
} from "../../access/index.ts";
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";

export interface DoorPolicyOptions {
  readonly path: string;
  /** Keys whose policies count. */
  readonly issuers: readonly PublicKey[];
  readonly verify: VerifySignature;
  /** The name of a policy's bytes. */
  policyId(bytes: Uint8Array): Promise<Hash>;
  /** The newest generation ever taken over; outlives the file, so that an old file put back is seen. */
  readGeneration(): number;
  writeGeneration(generation: number): void;
}

export type PolicyTaken =
  | { readonly type: "swapped"; readonly inForce: PolicyInForce }
  | { readonly type: "known" }
  | { readonly type: "refused"; readonly why: string };

export class DoorPolicy {
  readonly #options: DoorPolicyOptions;
  #inForce: PolicyInForce | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: DoorPolicyOptions) {
    this.#options = options;
  }

  /** What decisions are made from now; undefined before the first snapshot. Replaced whole, never changed. */
  get inForce(): PolicyInForce | undefined {
    return this.#inForce;
  }

  /** Takes up the file of the last run, checked as if it had just come in. */
  load(): Promise<PolicyTaken> {
    return this.#inTurn(async () => {
      const { path, readGeneration } = this.#options;
      if (!existsSync(path)) return { type: "known" };
      const inForce = await this.#check(new Uint8Array(readFileSync(path)));
      const floor = readGeneration();
      if (inForce.policy.generation < floor) throw rolledBack(inForce, floor);
      this.#inForce = inForce;
      return { type: "swapped", inForce };
    });
  }

  /** Takes over a signed policy that the agent handed over. */
  take(bytes: Uint8Array): Promise<PolicyTaken> {
    return this.#inTurn(async () => {
      const { path, readGeneration, writeGeneration } = this.#options;
      const inForce = await this.#check(bytes);
      if (inForce.id === this.#inForce?.id) return { type: "known" };
      const { generation } = inForce.policy;
      // Without a snapshot in force the newest one may come again: its file may have been lost.
      const floor = this.#inForce === undefined ? readGeneration() : this.#inForce.policy.generation + 1;
      if (generation < floor) throw rolledBack(inForce, floor);
      writeAtomically(path, bytes);
      writeGeneration(generation);
      this.#inForce = inForce;
      return { type: "swapped", inForce };
    });
  }

  /** One at a time; what a policy can get wrong is a refusal, not an exception. */
  #inTurn(work: () => Promise<PolicyTaken>): Promise<PolicyTaken> {
    const turn = this.#turn.then(work).catch((error: unknown): PolicyTaken => {
      if (error instanceof GdoError) return { type: "refused", why: error.message };
      throw error;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #check(bytes: Uint8Array): Promise<PolicyInForce> {
    const { issuers, verify, policyId } = this.#options;
    const signed = decodeSignedPolicy(bytes);
    verifySignedPolicy(signed, issuers, verify);
    return { id: await policyId(signed.policy), policy: decodePolicy(signed.policy) };
  }
}

function rolledBack({ policy }: PolicyInForce, floor: number): GdoError {
  return new GdoError(
    "POLICY_INVALID",
    `policy generation ${policy.generation} is a roll-back: ${floor} or newer is due`,
  );
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** After a crash at any point the file holds its old bytes or all of the new ones. IO when it cannot be written. */
function writeAtomically(path: string, bytes: Uint8Array): void {
  const fresh = `${path}.new`;
  try {
    writeFileSync(fresh, bytes, { mode: 0o600, flush: true });
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw new GdoError("IO", `cannot write the policy ${path}`, { cause });
  }
}
