/**
 * Step 10 of proof of merge: validators passed a merge and got different outputs. Where q agree, the others are
 * the odd ones, and one that is so again and again is told of. Where no q can agree, the dapp is to blame; after
 * the second such merge it is left out until another image of it is installed.
 */
import type { Hash } from "../../base/index.ts";
import type { MergePayload } from "../../ledger/index.ts";
import type { OwnBlocks } from "../ports.ts";

const META = "node.mismatches";
/** Merges with a mismatch after which a dapp is left out. */
const MISMATCHES_MAX = 2;
/** Merges in a row in which a validator was odd, after which it is told of. */
const ODD_MAX = 3;
/** Merges whose attests are remembered. */
const MERGES_KEPT = 32;

/** One validator's attest of a merge that it passed. */
export interface PassedAttest {
  readonly merge: Hash;
  readonly voter: string;
  readonly outputs: Readonly<Record<string, Hash>>;
  readonly tests: MergePayload["tests"];
  /** How many vote, and how many must agree. */
  readonly n: number;
  readonly q: number;
}

interface Seen {
  /** Voter → outputs as one text. */
  readonly voters: Map<string, string>;
  readonly outputs: Map<string, PassedAttest["outputs"]>;
  readonly weighed: Set<string>;
}

export class Disagreements {
  readonly #memory: OwnBlocks;
  /** App/image → merges with a mismatch. */
  readonly #blamed: Map<string, readonly Hash[]>;
  readonly #seen = new Map<Hash, Seen>();
  readonly #oddInRow = new Map<string, number>();

  constructor(memory: OwnBlocks) {
    this.#memory = memory;
    this.#blamed = new Map(JSON.parse(memory.meta(META) ?? "[]") as [string, Hash[]][]);
  }

  /** Takes an attest in; names the validators that have now been odd once too often. */
  note(attest: PassedAttest): string[] {
    const { merge, voter, outputs, n, q } = attest;
    const seen = this.#of(merge);
    const text = JSON.stringify(Object.entries(outputs).sort());
    seen.voters.set(voter, text);
    seen.outputs.set(text, outputs);
    const counts = new Map<string, number>();
    for (const each of seen.voters.values()) counts.set(each, (counts.get(each) ?? 0) + 1);
    const [most, count] = [...counts].sort(([, x], [, y]) => y - x)[0] as [string, number];
    if (count >= q) return this.#weigh(seen, most);
    if (count + n - seen.voters.size < q) this.#blame(attest, seen);
    return [];
  }

  /** Dapps to be left out, by the image that is installed now, and why. */
  leftOut(imageNow: (app: string) => Hash | undefined): Map<string, string> {
    const found = new Map<string, string>();
    for (const [key, merges] of this.#blamed) {
      const [app = "", image] = key.split("/");
      if (merges.length >= MISMATCHES_MAX && (imageNow(app) ?? "") === image)
        found.set(app, `${app} gave validators different outputs in ${merges.length} merges; install another version`);
    }
    return found;
  }

  #of(merge: Hash): Seen {
    const known = this.#seen.get(merge);
    if (known !== undefined) return known;
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= MERGES_KEPT && oldest !== undefined) this.#seen.delete(oldest);
    const seen = { voters: new Map(), outputs: new Map(), weighed: new Set<string>() };
    this.#seen.set(merge, seen);
    return seen;
  }

  #weigh({ voters, weighed }: Seen, most: string): string[] {
    const told: string[] = [];
    for (const [voter, text] of voters) {
      if (weighed.has(voter)) continue;
      weighed.add(voter);
      const times = text === most ? 0 : (this.#oddInRow.get(voter) ?? 0) + 1;
      this.#oddInRow.set(voter, times);
      if (times === ODD_MAX) told.push(voter);
    }
    return told;
  }

  #blame({ merge, tests }: PassedAttest, { outputs }: Seen): void {
    const all = [...outputs.values()];
    for (const { app, image } of tests) {
      if (new Set(all.map((each) => each[app])).size < 2) continue;
      const key = `${app}/${image ?? ""}`;
      const known = this.#blamed.get(key) ?? [];
      if (known.includes(merge) || known.length >= MISMATCHES_MAX) continue;
      this.#blamed.set(key, [...known, merge]);
      this.#memory.setMeta(META, JSON.stringify([...this.#blamed]));
    }
  }
}
