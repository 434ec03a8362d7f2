/**
 * The form of a block among its parents: the only thing that is checked when a block is taken in.
 * Whether what it says is authorised, and where it stands, are verdicts, computed later.
 */
import { GdoError, type Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import { parseEntryPayload } from "./entry.ts";
import { parseGenesis } from "./genesis.ts";
import { checkEvidence } from "./logs/evidence.ts";
import { parseMerge } from "./merge/merge.ts";
import { checkVote } from "./merge/vote.ts";
import { parentIds } from "./parents.ts";
import { refuse } from "./shape.ts";

/** What of a held block the form of its children depends on. */
export type Parent = Pick<Block, "id" | "a" | "l" | "n" | "c">;

/** The held block of that id, if any. */
export type FindParent = (id: Hash) => Parent | undefined;

/** The blocks that it names and that are not held. */
export function missingParents(block: Pick<Block, "b" | "p">, find: FindParent): Hash[] {
  return parentIds(block).filter((id) => find(id) === undefined);
}

/**
 * Checks a block against its parents: `b` is the block before it in the same log [L6], `c` is one more
 * than the greatest among the parents, 1 without any [L4], the payload has its kind's shape. Throws
 * LEDGER_ORPHAN when a parent is not held, LEDGER_FORM otherwise.
 */
export function checkForm(block: Block, find: FindParent): void {
  const [missing] = missingParents(block, find);
  if (missing !== undefined)
    throw new GdoError("LEDGER_ORPHAN", `block ${block.id}: its parent ${missing} is not held`);
  const parents = parentIds(block).map(find) as readonly Parent[];
  if (block.b !== null) checkPrevious(block, parents[0] as Parent);
  const clock = 1 + Math.max(0, ...parents.map(({ c }) => c));
  if (block.c !== clock) throw refuse(`block ${block.id}: c is ${block.c}, not ${clock}`);
  checkPayload(block);
}

function checkPrevious(block: Block, previous: Parent): void {
  if (previous.a !== block.a || previous.l !== block.l) throw refuse(`block ${block.id}: b is in another log`);
  if (previous.n !== block.n - 1) throw refuse(`block ${block.id}: n is ${block.n}, after ${previous.n}`);
}

function checkPayload(block: Block): void {
  if (block.k === "charter") checkCharter(block);
  else if (block.k === "entry") parseEntryPayload(block.d);
  else if (block.k === "merge") parseMerge(block.d);
  else if (block.k === "vote") checkVote(block);
  else if (block.k === "evidence") checkEvidence(block);
  // A kind without rules cannot be judged, and this version does not keep what it cannot judge.
  else throw refuse(`block ${block.id}: the kind ${block.k} is not known to this version`);
}

function checkCharter(block: Block): void {
  if (block.n !== 0 || block.p.length > 0) throw refuse("a charter has no parents");
  const { principals } = parseGenesis(block.d);
  if (!principals.some(({ devices }) => devices.includes(block.a)))
    throw refuse("a charter's author is not among its devices");
}
