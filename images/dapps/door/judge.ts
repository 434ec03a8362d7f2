/**
 * The door dapp's merge test. Every decision in the candidate entries is made again from the snapshot
 * that it names, and a published snapshot is compiled again from the state that it claims [A2].
 */
import { contradictionOf, decodePolicy, type PolicyInForce, parseSwipe, SWIPE_ACT } from "../../../lib/access/index.ts";
import { equalBytes } from "../../../lib/base/bytes.ts";
import type { Hash } from "../../../lib/base/hash.ts";
import type { Canonical, Entry, Input, State, Verdict } from "../../sdk/index.ts";
import { compilePolicy } from "./compile.ts";
import { isSignedBy } from "./signature.ts";
import { type Latest, publishedIn } from "./state.ts";

/** Snapshots are named by their content, so that one that was read stays right. */
const SNAPSHOTS_KEPT = 4;

export class Judge {
  readonly #snapshots = new Map<string, PolicyInForce>();

  async test(input: Input, before: State, after: State): Promise<Verdict> {
    const findings: string[] = [];
    for (const entry of input.entries) {
      for (const [type, body] of entry.acts) {
        const fault = await this.#faultOf(type, body, { height: input.height, before, after });
        if (fault !== undefined) findings.push(findingOf(entry, type, fault));
      }
    }
    return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings };
  }

  async #faultOf(type: string, body: Canonical, merge: Merge): Promise<string | undefined> {
    if (type === SWIPE_ACT) return this.#swipeFault(body, merge.after);
    return type === "policy.publish" ? this.#policyFault(body as unknown as Latest, merge) : undefined;
  }

  async #swipeFault(body: Canonical, after: State): Promise<string | undefined> {
    const swipe = parseSwipe(body);
    if (swipe.policy === null) return contradictionOf(swipe, undefined);
    if ((await publishedIn(after, swipe.policy)) === undefined) {
      return `names the snapshot ${swipe.policy}, which nobody published`;
    }
    return contradictionOf(swipe, await this.#snapshot(swipe.policy, after));
  }

  async #policyFault(act: Latest, { height: here, before, after }: Merge): Promise<string | undefined> {
    const { policy: id, generation, height } = act;
    const { policy } = await this.#snapshot(id, after);
    if (policy.generation !== generation) return `is generation ${policy.generation}, not ${generation}`;
    if (policy.height !== height) return `is of height ${policy.height}, not ${height}`;
    const bytes = await after.blob(id);
    if (!isSignedBy(bytes, act.issuer, act.signature)) return "has a signature that does not hold";
    // Older states are gone: what can be compiled again is the state that this merge builds on.
    if (height !== here - 1) return undefined;
    const { issuedMs, softMs, hardMs } = policy;
    const due = await compilePolicy(before, { generation, height, issuedMs, softMs, hardMs });
    return equalBytes(due, bytes) ? undefined : `is not what the state at height ${height} compiles to`;
  }

  async #snapshot(id: string, state: State): Promise<PolicyInForce> {
    const known = this.#snapshots.get(id);
    if (known !== undefined) return known;
    const read = { id: id as Hash, policy: decodePolicy(await state.blob(id)) };
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size >= SNAPSHOTS_KEPT && oldest !== undefined) this.#snapshots.delete(oldest);
    this.#snapshots.set(id, read);
    return read;
  }
}

interface Merge {
  readonly height: number;
  readonly before: State;
  readonly after: State;
}

function findingOf({ id, principal }: Entry, type: string, fault: string): string {
  return `entry ${id} of ${principal}: ${type} ${fault}`;
}
