/** Makes merges of what is pending: steps 1 to 5 of proof of merge, whoever has to agree to them afterwards. */
import { GdoError, type Hash } from "../../base/index.ts";
import type { CanonicalMap } from "../../codec/index.ts";
import type { MergeOutcome, StateView } from "../../ledger/index.ts";
import type { NodeApps } from "../ports.ts";
import { type BuildOptions, type Built, buildMerge } from "./build.ts";
import { type Collected, collect } from "./collect.ts";
import type { Disagreements } from "./disagreement.ts";
import { AppFailure, workOnce, workTwice } from "./work.ts";

export interface ProposerOptions extends BuildOptions {
  readonly apps: NodeApps;
  readonly organisation: Hash;
  readonly disagreements: Disagreements;
}

export interface Proposal extends Built {
  readonly collected: Collected;
  readonly outcome: MergeOutcome;
}

export interface ProposeRequest {
  readonly branch: string;
  /** Others will do the work again: it is done twice here first [L13]. */
  readonly isShared: boolean;
  /** False once the branch has gone on: nothing is signed then. */
  readonly isCurrent: () => boolean;
}

export class Proposer {
  readonly #options: ProposerOptions;
  /** Dapps whose entries wait, and why, as of the last try. */
  readonly waiting = new Map<string, string>();

  constructor(options: ProposerOptions) {
    this.#options = options;
  }

  /**
   * The merge of what is pending, signed and durable; undefined when there is nothing. Entries of a dapp that
   * fails wait for the next time and keep nobody else's from being merged; when there are no others, what
   * the dapp's container threw is thrown.
   */
  async propose({ branch, isShared, isCurrent }: ProposeRequest): Promise<Proposal | undefined> {
    const { ledger, organisation, ownLog, disagreements } = this.#options;
    this.waiting.clear();
    let failure: AppFailure | undefined;
    for (;;) {
      const charter = ledger.charterAt();
      for (const [app, why] of disagreements.leftOut((name) => imageOf(charter, name))) this.waiting.set(app, why);
      const without = new Set(this.waiting.keys());
      const collected = collect(branch, { ledger, organisation, author: ownLog.author, without });
      if (collected.entries.length === 0) return this.#nothing(failure);
      try {
        const outcome = await (isShared ? workTwice : workOnce)(collected, this.#options);
        if (!isCurrent()) return undefined;
        return { collected, outcome, ...(await buildMerge(collected, outcome, this.#options)) };
      } catch (error) {
        if (!(error instanceof AppFailure)) throw error;
        if (this.waiting.has(error.app)) throw asGdoError(error); // Without its entries, too: the branch requires it.
        failure = error;
        this.waiting.set(error.app, error.message);
      }
    }
  }

  #nothing(failure: AppFailure | undefined): undefined {
    if (failure === undefined) return undefined;
    throw asGdoError(failure);
  }
}

function asGdoError(failure: AppFailure): GdoError {
  const { cause, message } = failure;
  return cause instanceof GdoError ? cause : new GdoError("REFUSED", message, { cause: failure, hint: "gdo status" });
}

function imageOf(charter: StateView, app: string): Hash | undefined {
  return (charter.get(`dapp/${app}`) as CanonicalMap | undefined)?.["tree"] as Hash | undefined;
}
