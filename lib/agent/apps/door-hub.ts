/** The agent's side of its door processes: their logs into the ledger, the policy out to them. */

import { existsSync } from "node:fs";
import type { Cancel, PublicKey } from "../../base/index.ts";
import { type Block, decodeBlock, keyFromSeed } from "../../codec/index.ts";
import { parseEntryPayload } from "../../ledger/index.ts";
import { DoorLinkServer } from "../door/link.ts";
import { readSecret } from "../home/home.ts";
import type { GdoNode } from "../node.ts";

/** How far back the newest word of the door on its policy is looked for after a start. */
const LOOK_BACK_BLOCKS = 2_000;

export interface DoorStatus {
  readonly linked: boolean;
  /** Number of the newest block held of the door's log; -1 for none. */
  readonly lastN: number;
  /** Of the policy that the door last said it had taken over; 0 for none. */
  readonly policyGeneration: number;
}

export class DoorHub {
  readonly #node: GdoNode;
  readonly #server: DoorLinkServer;
  readonly #listeners = new Set<() => void>();
  readonly #doorKey: PublicKey | undefined;
  #generation: number | undefined;

  /** `took` is told of envelopes that are verified and kept. */
  constructor(node: GdoNode, took: (envelopes: readonly Uint8Array[]) => void) {
    this.#node = node;
    const { doorKey } = node.parts.paths;
    this.#doorKey = existsSync(doorKey) ? keyFromSeed(readSecret(doorKey)).publicKey : undefined;
    this.#server = new DoorLinkServer({
      frontOf: (key, l) => node.parts.db.lastOf(key, l)?.n,
      ingest: async (envelopes) => {
        const { added } = await node.chain.take(envelopes);
        if (added === 0) return;
        this.#listen(envelopes);
        took(envelopes);
      },
      policy: () => node.policies.held?.signed,
      onPolicyChange: (listener) => this.#onPolicyChange(listener),
    });
  }

  listen(path: string): Promise<void> {
    return this.#server.listen(path);
  }

  policyChanged(): void {
    for (const listener of this.#listeners) listener();
  }

  /** undefined where there is no door. */
  status(): DoorStatus | undefined {
    const last = this.#last();
    if (this.#doorKey === undefined) return undefined;
    this.#generation ??= this.#lookBack(last);
    return { linked: this.#listeners.size > 0, lastN: last?.n ?? -1, policyGeneration: this.#generation };
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #onPolicyChange(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #last(): Block | undefined {
    const { db } = this.#node.parts;
    if (this.#doorKey === undefined) return undefined;
    const newest = db.logsOf(this.#doorKey).at(-1);
    return newest === undefined ? undefined : db.lastOf(this.#doorKey, newest);
  }

  #listen(envelopes: readonly Uint8Array[]): void {
    for (const envelope of envelopes) this.#generation = generationIn(decodeBlock(envelope)) ?? this.#generation;
  }

  #lookBack(last: Block | undefined): number {
    const { db } = this.#node.parts;
    let block = last;
    for (let steps = 0; block !== undefined && steps < LOOK_BACK_BLOCKS; steps += 1) {
      const generation = generationIn(block);
      if (generation !== undefined) return generation;
      block = block.b === null ? undefined : db.block(block.b);
    }
    return 0;
  }
}

/** The generation of the policy that the door says it took over, if this block says so. */
function generationIn(block: Block): number | undefined {
  if (block.k !== "entry") return undefined;
  const swap = parseEntryPayload(block.d).acts.findLast(({ type }) => type === "policy.swap");
  const generation = (swap?.body as { generation?: unknown } | undefined)?.generation;
  return typeof generation === "number" ? generation : undefined;
}
