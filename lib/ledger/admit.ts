/**
 * Admission of blocks from others: the checks in the order of their cost, so that junk costs a hash at
 * most and nothing is verified for strangers. Pure: what is held comes in as a view; counting refusals,
 * fetching what is missing and storing are the caller's.
 *
 * length → canonical form and fields → organisation → author known → quota → held already → number
 * within the window → parents held → form among the parents → signature → number not used twice.
 */
import { GdoError, type Hash, type PublicKey } from "../base/index.ts";
import { type Block, decodeBlock, ENVELOPE_BYTES_MAX, verifyBlock } from "../codec/index.ts";
import { carriedIds } from "./chain.ts";
import { checkForm, missingParents, type Parent } from "./form.ts";

/** A block may be at most so far ahead of what is held of its log, and an author have so many orphans a batch. */
export const ORPHANS_PER_AUTHOR_MAX = 64;

export type RefusalReason =
  | "too_long"
  | "form"
  | "wrong_org"
  | "unknown_author"
  | "quota"
  | "window"
  | "signature"
  | "equivocation";

/** What is held. */
export interface AdmitView {
  readonly organisation: Hash;
  /** Whether the charter knows the device, revoked or not: what it signed is a fact. */
  knows(author: PublicKey): boolean;
  parent(id: Hash): Parent | undefined;
  /** The block that is held at this place, if any. */
  at(author: PublicKey, l: string, n: number): Hash | undefined;
  /** Newest number of the log, -1 when nothing is held. */
  newest(author: PublicKey, l: string): number;
  /** How many blocks are held at this place. Absent: a second one of a number is never kept. */
  versions?(author: PublicKey, l: string, n: number): number;
  /** Whether it came before, with this signature, and still waits for a parent: there is nothing new to say of it. */
  waits?(block: Block): boolean;
  /** Whether somebody's block builds on this one and waits for it. */
  needs?(id: Hash): boolean;
  /** Takes one from the author's allowance; false when there is none left. Absent: no limit. */
  allow?(author: PublicKey): boolean;
}

export interface Refusal {
  readonly reason: RefusalReason;
  /** In words, for a log. */
  readonly why: string;
  /** Absent where the bytes were no block. */
  readonly block?: Block;
  /** With "equivocation": the other block of the pair, which is held [L6]. */
  readonly held?: Hash;
}

/** A sound block some of whose parents are not held: to be fetched, with what it lacks, from its sender. */
export interface Orphan {
  readonly block: Block;
  readonly missing: readonly Hash[];
}

/** A block to store, and whether its own signature was verified or a later block's vouches for it [L9]. */
export interface AdmittedBlock {
  readonly block: Block;
  readonly isChecked: boolean;
}

/** Blocks of one number that are kept although nobody has built on them: what proves equivocation. */
const VERSIONS_MAX = 2;

/** A sound block whose number is used by another one [L6]. */
export interface Fork {
  readonly block: Block;
  readonly held: Hash;
}

export interface Admission {
  /** Parents before children. */
  readonly admitted: readonly AdmittedBlock[];
  /** Those among the admitted whose number is used by another block. */
  readonly forks: readonly Fork[];
  readonly orphans: readonly Orphan[];
  readonly refused: readonly Refusal[];
  /** How many were held already, or waited, or came twice. */
  readonly known: number;
}

export interface AdmitOptions {
  /**
   * `each` (default): every signature. `newest`: of a contiguous range of one log only the newest, which
   * vouches for the rest [L9]; the signatures in between are kept as they came.
   */
  readonly signatures?: "each" | "newest";
  /** Blocks whose signatures were verified before, as decodeBlock gives them, and whether they are their authors'. */
  readonly verified?: ReadonlyMap<Block, boolean>;
}

/** Sorts envelopes into what to store, what to wait for and what to refuse. Never throws for their content. */
export function admit(envelopes: readonly Uint8Array[], view: AdmitView, options: AdmitOptions = {}): Admission {
  const batch = new Batch(view);
  const decoded = envelopes.flatMap((envelope) => batch.decode(envelope) ?? []);
  // A parent's clock is smaller [L4], so this order brings parents first whatever order they came in.
  decoded.sort((x, y) => x.c - y.c);
  const checked: Checked = new Map(options.verified);
  const carried =
    options.signatures === "newest" ? carriedIds(decoded, (block) => verifyOnce(block, checked)) : new Set<Hash>();
  for (const block of decoded) batch.take(block, carried, checked);
  batch.settle();
  return batch;
}

/** Signatures verified so far. By block, not id: a forged copy must not stand for the true one. */
type Checked = Map<Block, boolean>;

function verifyOnce(block: Block, checked: Checked): boolean {
  const isGood = checked.get(block) ?? verifyBlock(block);
  checked.set(block, isGood);
  return isGood;
}

/** Both parts have a fixed length, so no two logs share the text. */
function logOf({ a, l }: Block): string {
  return a + l;
}

class Batch implements Admission {
  readonly admitted: AdmittedBlock[] = [];
  readonly forks: Fork[] = [];
  orphans: Orphan[] = [];
  readonly refused: Refusal[] = [];
  known = 0;
  readonly #view: AdmitView;
  readonly #byId = new Map<Hash, Block>();
  readonly #byPlace = new Map<string, Hash>();
  readonly #seconds = new Map<string, number>();
  readonly #newest = new Map<string, number>();
  readonly #orphansOf = new Map<PublicKey, number>();

  constructor(view: AdmitView) {
    this.#view = view;
  }

  /** The cheap checks; undefined when the block is refused or held. */
  decode(envelope: Uint8Array): Block | undefined {
    if (envelope.length > ENVELOPE_BYTES_MAX) {
      return this.#refuse("too_long", `${envelope.length} bytes, more than ${ENVELOPE_BYTES_MAX}`);
    }
    const block = this.#parse(envelope);
    if (block === undefined) return undefined;
    const why = this.#whyUnwelcome(block);
    if (why !== undefined) return this.#refuse(why[0], why[1], block);
    if (!this.#isKnown(block)) return block;
    this.known += 1;
    return undefined;
  }

  /** [L6] A number beyond what is held is of a block that is not. */
  #isKnown(block: Block): boolean {
    const { id, a, l, n } = block;
    const isHeld = n <= this.#view.newest(a, l) && this.#view.parent(id) !== undefined;
    return isHeld || this.#view.waits?.(block) === true;
  }

  #whyUnwelcome({ id, o, a }: Block): [RefusalReason, string] | undefined {
    // The charter is known by its id; nobody is known before it is held.
    const isCharter = id === this.#view.organisation;
    if (!isCharter && o !== this.#view.organisation) return ["wrong_org", "of another organisation"];
    if (!isCharter && !this.#view.knows(a)) return ["unknown_author", `the charter does not know ${a}`];
    return this.#view.allow?.(a) === false ? ["quota", `more than its share from ${a}`] : undefined;
  }

  #parse(envelope: Uint8Array): Block | undefined {
    try {
      return decodeBlock(envelope);
    } catch (error) {
      if (error instanceof GdoError) return this.#refuse("form", error.message);
      throw error;
    }
  }

  /** The checks that need parents, in the order of clocks. */
  take(block: Block, carried: ReadonlySet<Hash>, checked: Checked): void {
    const newest = Math.max(this.#newest.get(logOf(block)) ?? -1, this.#view.newest(block.a, block.l));
    const missing = missingParents(block, (id) => this.#parent(id));
    if (this.#byId.has(block.id)) this.known += 1;
    else if (block.n > newest + ORPHANS_PER_AUTHOR_MAX)
      this.#refuse("window", `number ${block.n}, held up to ${newest}`, block);
    else if (missing.length > 0) this.#orphan(block, missing);
    else this.#judge(block, carried, checked);
  }

  /** A block that came before a parent, in the order of clocks, was wrong about its clock [L4]. What is held has not changed. */
  settle(): void {
    const isOrphan = ({ missing }: Orphan): boolean => missing.some((id) => !this.#byId.has(id));
    for (const orphan of this.orphans) {
      if (!isOrphan(orphan)) this.#refuse("form", "its clock is not greater than its parents'", orphan.block);
    }
    this.orphans = this.orphans.filter(isOrphan);
  }

  #judge(block: Block, carried: ReadonlySet<Hash>, checked: Checked): void {
    const wrong = this.#whyMisformed(block);
    if (wrong !== undefined) {
      this.#refuse("form", wrong, block);
      return;
    }
    const isVouched = checked.get(block) ?? (carried.has(block.id) || verifyOnce(block, checked));
    if (isVouched) this.#admit(block, checked.get(block) === true);
    else this.#refuse("signature", `not signed by ${block.a}`, block);
  }

  #parent(id: Hash): Parent | undefined {
    return this.#byId.get(id) ?? this.#view.parent(id);
  }

  #orphan(block: Block, missing: readonly Hash[]): void {
    const count = (this.#orphansOf.get(block.a) ?? 0) + 1;
    this.#orphansOf.set(block.a, count);
    if (count <= ORPHANS_PER_AUTHOR_MAX) this.orphans.push({ block, missing });
    else this.#refuse("window", "too many blocks without their parents", block);
  }

  #whyMisformed(block: Block): string | undefined {
    try {
      checkForm(block, (id) => this.#parent(id));
      return undefined;
    } catch (error) {
      if (error instanceof GdoError) return error.message;
      throw error;
    }
  }

  #admit(block: Block, isChecked: boolean): void {
    const log = logOf(block);
    const place = `${log}${block.n}`;
    const held = this.#byPlace.get(place) ?? this.#heldAt(block);
    // [L6] After the signature: only two signed blocks prove anything.
    if (held !== undefined && !this.#keepsSecond(block, place)) {
      this.refused.push({ reason: "equivocation", why: `${block.a} used number ${block.n} twice`, block, held });
      return;
    }
    this.#byId.set(block.id, block);
    if (held === undefined) this.#byPlace.set(place, block.id);
    else this.forks.push({ block, held });
    this.#newest.set(log, Math.max(block.n, this.#newest.get(log) ?? -1));
    this.admitted.push({ block, isChecked });
  }

  #heldAt({ a, l, n }: Block): Hash | undefined {
    return n > this.#view.newest(a, l) ? undefined : this.#view.at(a, l, n);
  }

  /** [L6] Two of a number are kept, and of further ones those that others build on: a liar must not fill disks. */
  #keepsSecond({ id, a, l, n }: Block, place: string): boolean {
    const { versions, needs } = this.#view;
    if (versions === undefined) return false;
    const inBatch = this.#seconds.get(place) ?? 0;
    const held = Math.max(1, versions(a, l, n)) + inBatch;
    if (held >= VERSIONS_MAX && needs?.(id) !== true) return false;
    this.#seconds.set(place, inBatch + 1);
    return true;
  }

  #refuse(reason: RefusalReason, why: string, block?: Block): undefined {
    this.refused.push(block === undefined ? { reason, why } : { reason, why, block });
    return undefined;
  }
}
