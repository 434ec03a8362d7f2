/**
 * The node's ledger as it lives: takes blocks in, applies merges as soon as all that they need is held,
 * and says what is lacking. Verifies everything that others send; decides nothing that the ledger's pure
 * rules decide. Rules: docs/design/ledger.md.
 */
import { GdoError, type Hash, isOwnFailure, type Log } from "../base/index.ts";
import { type Block, encodeEnvelope } from "../codec/index.ts";
import {
  type Admission,
  admit,
  CHARTER_BRANCH,
  commitsOn,
  judgeMerge,
  type MergePayload,
  parseEvidence,
  parseMerge,
  parseMergeChanges,
  policyOf,
  provenByBlobs,
  whyNotMerge,
  worthVerifying,
} from "../ledger/index.ts";
import { Orphans } from "./orphans.ts";
import type { NodeBlobs, NodeLedger } from "./ports.ts";

/** Fewer are verified where they are: another thread takes as long to begin. */
const AHEAD_MIN = 16;

/** Merges and evidence that are remembered as hopeless, whatever a liar signs. */
export const HOPELESS_MAX = 1024;

/** Merges whose changes are fetched before their turn. */
const FETCHED_AHEAD_MAX = 64;

export interface ChainOptions {
  readonly ledger: NodeLedger;
  readonly blobs: NodeBlobs;
  readonly organisation: Hash;
  readonly log: Log;
  /** A merge was applied: state, charter and policy may have changed. */
  onMerged(payload: MergePayload, merge: Block): void;
  refused(reason: string): void;
  /** What could be applied is. */
  settled(): void;
  /** Verifies signatures on other threads; without it admission verifies them itself. */
  readonly verifyBlocks?: (blocks: readonly Block[]) => Promise<readonly boolean[]>;
  /** A new block came from others; `isSecond`: its number is used by another one [L6]. */
  saw?(block: Block, isSecond: boolean): void;
  /** The blobs of evidence were read, and prove what it says. */
  proved?(evidence: Block): void;
}

export interface Taken {
  readonly added: number;
  readonly refused: number;
}

export class Chain {
  readonly #options: ChainOptions;
  readonly #orphans = new Orphans();
  /** What can never be used, so that each is counted and logged once; whether no other version of a log could mend it. */
  readonly #hopeless = new Map<Hash, boolean>();
  /** Of merges that wait: they are looked at whenever something comes. */
  readonly #payloads = new WeakMap<Block, MergePayload>();
  /** Merges that lacked nothing but so many votes, by their branch's head of then. */
  readonly #unvoted = new WeakMap<Block, { readonly head: Hash | undefined; readonly commits: number }>();
  #turn: Promise<void> = Promise.resolve();
  /** Settles, and never fails, when what came so far has been taken in. */
  #taken: Promise<unknown> | undefined;
  #isClosed = false;
  /** This computer could not do what it should have: a disk is full, say. */
  #isHeldUp = false;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  /** Blocks that wait for their parents. */
  get orphanCount(): number {
    return this.#orphans.count;
  }

  /** Verifies and keeps what may be kept, in the order of the calls; then applies what merges have become possible. */
  async take(envelopes: readonly Uint8Array[]): Promise<Taken> {
    const ahead = this.#verifyAhead(envelopes);
    const taken =
      ahead === undefined && this.#taken === undefined ? this.#keep(envelopes) : this.#keepAfter(envelopes, ahead);
    const { added, refused } = await taken;
    if (added > 0) await this.advance();
    return { added, refused };
  }

  /** Begins at once, so that threads verify what comes while what came is taken in. */
  #verifyAhead(envelopes: readonly Uint8Array[]): Promise<ReadonlyMap<Block, boolean>> | undefined {
    const { ledger, organisation, verifyBlocks } = this.#options;
    if (verifyBlocks === undefined || envelopes.length < AHEAD_MIN || this.#isClosed) return undefined;
    const blocks = worthVerifying(envelopes, ledger.admitView(organisation));
    return verifyBlocks(blocks).then(
      (areGood) => new Map(blocks.map((block, index) => [block, areGood[index] === true])),
    );
  }

  /** In its turn: what came later may be built on what came before. */
  #keepAfter(
    envelopes: readonly Uint8Array[],
    ahead: Promise<ReadonlyMap<Block, boolean>> | undefined,
  ): Promise<Taken> {
    const before = this.#taken ?? Promise.resolve();
    const kept = Promise.all([ahead, before]).then(([verified]) => this.#keep(envelopes, verified));
    const settled = kept.then(
      () => {},
      () => {},
    );
    const mine = settled.then(() => {
      if (this.#taken === mine) this.#taken = undefined;
    });
    this.#taken = mine;
    return kept;
  }

  #keep(envelopes: readonly Uint8Array[], verified?: ReadonlyMap<Block, boolean>): Taken {
    const taken = { added: 0, refused: 0 };
    if (this.#isClosed) return taken;
    const { ledger, organisation, refused, log } = this.#options;
    for (let batch = envelopes; batch.length > 0; ) {
      const held = ledger.admitView(organisation);
      const view = {
        ...held,
        waits: (block: Block) => this.#orphans.waits(block, held),
        needs: (id: Hash) => this.#orphans.need(id),
      };
      const admission = admit(batch, view, verified === undefined ? {} : { verified });
      for (const orphan of admission.orphans) this.#orphans.keep(orphan);
      for (const { reason, why } of admission.refused) {
        refused(reason);
        log.warn("a block was refused", { reason, why });
      }
      for (const { block } of admission.forks) {
        refused("equivocation");
        log.warn("a number was used twice", { author: block.a, log: block.l, n: block.n, id: block.id });
      }
      const { added } = ledger.ingest(admission.admitted);
      this.#tellSeen(admission, new Set(added));
      taken.added += added.length;
      taken.refused += admission.refused.length;
      batch = this.#orphans.takeChildren(added).map(encodeEnvelope);
    }
    return taken;
  }

  #tellSeen({ admitted, forks, refused }: Admission, added: ReadonlySet<Hash>): void {
    const { saw = () => {} } = this.#options;
    const seconds = new Set(forks.map(({ block }) => block.id));
    for (const { block } of admitted) if (added.has(block.id)) saw(block, seconds.has(block.id));
    for (const { block, held } of refused) if (block !== undefined && held !== undefined) saw(block, true);
    // [L6] A merge may have meant the version that came now.
    if (seconds.size > 0) this.#hopeless.clear();
  }

  /** Applies merges for as long as one can be. */
  advance(): Promise<void> {
    const turn = this.#turn.then(() => this.#advance());
    // Whoever asked hears that it failed; what comes later has its turn all the same.
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Tries again what this computer could not do. */
  async retry(): Promise<void> {
    if (this.#isHeldUp) await this.advance();
  }

  /** Nothing is applied any more; what is under way ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#taken;
    await this.#turn;
  }

  async #advance(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#applyAll();
      this.#isHeldUp = false;
    } catch (error) {
      return this.#holdUp(error);
    }
    this.#options.settled();
  }

  /** A full or failing disk says nothing about a merge: it waits. */
  #holdUp(error: unknown): void {
    if (!(error instanceof GdoError && isOwnFailure(error))) throw error;
    if (!this.#isHeldUp) this.#options.log.warn("merges wait", { code: error.code, why: error.message });
    this.#isHeldUp = true;
  }

  async #applyAll(): Promise<void> {
    if (this.#options.ledger.unreadEvidence().length > 0) await this.#readEvidence();
    await this.#fetchAhead();
    for (let applied = true; applied; ) {
      applied = false;
      for (const block of this.#isClosed ? [] : this.#options.ledger.waitingMerges()) {
        if (!this.#hopeless.has(block.id) && (await this.#consider(block))) applied = true;
      }
    }
  }

  /** [L6] Of two blocks in blobs nothing is proven until both are held: who sent the evidence has them. */
  async #readEvidence(): Promise<void> {
    const { ledger, organisation, proved, log } = this.#options;
    for (const block of this.#isClosed ? [] : ledger.unreadEvidence()) {
      const sides = this.#hopeless.has(block.id) ? undefined : await this.#sidesOf(block);
      if (sides === undefined) continue;
      const proven = provenByBlobs(sides, organisation);
      ledger.readEvidence(block.id, proven);
      if (proven === undefined) log.warn("evidence proves nothing", { evidence: block.id, author: block.a });
      else proved?.(block);
    }
  }

  /** Undefined while one is not held. What is held and is no block's size is not tried again. */
  async #sidesOf(block: Block): Promise<[Uint8Array, Uint8Array] | undefined> {
    const { blobs, log } = this.#options;
    const [one, other] = parseEvidence(block.d).blocks;
    if (!("blob" in one && "blob" in other)) return undefined;
    const isHeld = [await blobs.has(one.blob, block.a), await blobs.has(other.blob, block.a)];
    if (isHeld.includes(false)) return undefined;
    try {
      return [await blobs.read(one.blob), await blobs.read(other.blob)];
    } catch (error) {
      if (!(error instanceof GdoError) || isOwnFailure(error)) throw error;
      this.#note(block.id, false);
      log.warn("evidence cannot be read", { evidence: block.id, why: error.message });
      return undefined;
    }
  }

  /**
   * Asks for the changes of all merges at once: they come while the first is being applied. Of those only who may merge
   * the branch by now: any device can sign a merge that names whatever there is to be fetched.
   */
  async #fetchAhead(): Promise<void> {
    const { ledger, blobs } = this.#options;
    let left = FETCHED_AHEAD_MAX;
    for (const block of [...ledger.waitingMerges(), ...ledger.waitingMergesLater(FETCHED_AHEAD_MAX)]) {
      const { branch, changes } = this.#payloadOf(block);
      if (left === 0) return;
      if (changes === null || this.#hopeless.has(block.id)) continue;
      if (whyNotMerge(block.a, branch, ledger.branchView(ledger.lineOf(branch, block.a))) !== undefined) continue;
      await blobs.has(changes, block.a);
      left -= 1;
    }
  }

  /**
   * Beyond the bound the oldest are let go. A merge that final merges and evidence rule out stays ruled out, so it
   * need not wait either; what else there is is tried again.
   */
  #note(id: Hash, isForGood: boolean): void {
    this.#hopeless.set(id, isForGood);
    const [oldest] = this.#hopeless;
    if (this.#hopeless.size <= HOPELESS_MAX || oldest === undefined) return;
    this.#hopeless.delete(oldest[0]);
    if (oldest[1]) this.#options.ledger.passOver(oldest[0]);
  }

  #payloadOf(block: Block): MergePayload {
    const payload = this.#payloads.get(block) ?? parseMerge(block.d);
    this.#payloads.set(block, payload);
    return payload;
  }

  async #consider(block: Block): Promise<boolean> {
    const { ledger, blobs } = this.#options;
    const payload = this.#payloadOf(block);
    if (this.#lacksVotes(block, payload)) return false;
    const judged = judgeMerge(block, payload, ledger.branchView(ledger.lineOf(payload.branch, block.a)));
    if (judged.verdict === "refuse") {
      if (this.#isOvertaken(payload)) {
        ledger.passOver(block.id);
        return false;
      }
      this.#giveUp(block, judged.why, true);
    }
    if (judged.verdict === "wait" && judged.commits !== undefined)
      this.#unvoted.set(block, { head: ledger.head(payload.branch)?.id, commits: judged.commits });
    if (judged.verdict !== "apply" || payload.changes === null) return false;
    if (!(await blobs.has(payload.changes, block.a))) return false;
    return this.#apply(block, payload, payload.changes);
  }

  #giveUp({ id }: Block, why: string, isForGood: boolean): void {
    this.#note(id, isForGood);
    this.#options.refused("merge");
    this.#options.log.warn("a merge was refused", { merge: id, why });
  }

  /** Judged again only where there are enough votes by now, or the branch has gone on: most that comes is neither. */
  #lacksVotes(block: Block, { branch, h }: MergePayload): boolean {
    const { ledger } = this.#options;
    const known = this.#unvoted.get(block);
    if (known === undefined || known.head !== ledger.head(branch)?.id) return false;
    return commitsOn(block.id, ledger.votes(branch, h)).length < known.commits;
  }

  /**
   * Of several that were proposed for one height one became final: the others are nobody's fault, and never apply.
   * By the charter that it names itself: another may give its author a line of their own, with heights of its own.
   */
  #isOvertaken({ branch, h, charter }: MergePayload): boolean {
    const { ledger } = this.#options;
    if (charter.h > (ledger.head(CHARTER_BRANCH)?.h ?? 0)) return false;
    const isVoted = policyOf(ledger.charterAt(charter.h), branch)?.mode === "quorum";
    return isVoted && h <= (ledger.head(branch)?.h ?? 0);
  }

  /**
   * A merge that claims other roots than its changes lead to is a lie or a bug, and so is one that names what are no
   * changes, as anybody can who may merge: refused, said, never applied.
   */
  async #apply(block: Block, payload: MergePayload, blob: Hash): Promise<boolean> {
    const { ledger, blobs, onMerged } = this.#options;
    try {
      const changes = parseMergeChanges(await blobs.read(blob));
      ledger.applyMerge(ledger.lineOf(payload.branch, block.a), block, payload, changes);
    } catch (error) {
      if (!(error instanceof GdoError) || isOwnFailure(error)) throw error;
      this.#giveUp(block, `it does not lead where it says: ${error.message}`, false);
      return false;
    }
    onMerged(payload, block);
    return true;
  }
}
