/**
 * What a revoked device may still be told [S7]: how the charter went on up to the merge that revoked it. It takes no more
 * blocks from its peers, so the steps stand by themselves: each merge with its entries and the votes that made it
 * final, judged by the charter that the device holds. Nobody but those who merge the charter can say so. Pure.
 */
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";
import {
  type Block,
  type Canonical,
  decodeBlock,
  decodeCanonical,
  encodeCanonical,
  encodeEnvelope,
  verifyBlock,
} from "../../codec/index.ts";
import { judgeEntry } from "../merge/entry-verdict.ts";
import { type MergePayload, parseMerge } from "../merge/merge.ts";
import { castBy, commitsOn, type HeldVote, whyNotMerge } from "../merge/merge-rules.ts";
import { includedRoot, stateRoot } from "../merge/merkle.ts";
import { orderEntries, orderSeed } from "../merge/order.ts";
import { OverlayState } from "../merge/state-view.ts";
import { validatorsOf } from "../merge/validators.ts";
import { certificateOf, parseVote } from "../merge/vote.ts";
import { CHARTER_BRANCH } from "../policy.ts";
import { arrayOf, refuse } from "../shape.ts";
import type { StateChange, StateView } from "../types.ts";
import { reduceCharter } from "./reduce.ts";
import { authorOf } from "./state.ts";

/** All of a farewell: some five hundred changes of the charter. */
export const FAREWELL_BYTES_MAX = 1024 * 1024;

/** One merge of the charter, all that it takes to judge it. */
export interface CharterStep {
  readonly merge: Block;
  readonly entries: readonly Block[];
  /** Commit votes on it, where a quorum decides. */
  readonly votes: readonly Block[];
}

/** The charter as far as a device knows it. */
export interface CharterPlace {
  readonly organisation: Hash;
  readonly head: { readonly h: number; readonly id: Hash } | undefined;
  readonly state: StateView;
}

/** Who revoked a device, and by what. */
export interface Revocation {
  readonly by: string;
  readonly entry: Hash;
  /** When its author said so, by their clock [L5]. */
  readonly atMs: number;
}

/** As many steps as fit, the first of them first; no more of them are read. */
export function encodeFarewell(steps: Iterable<CharterStep>): Uint8Array {
  const rows: Canonical[] = [];
  let leftBytes = FAREWELL_BYTES_MAX - LIST_BYTES;
  for (const { merge, entries, votes } of steps) {
    const row = [encodeEnvelope(merge), entries.map(encodeEnvelope), votes.map(encodeEnvelope)];
    leftBytes -= encodeCanonical(row).length;
    if (leftBytes < 0) break;
    rows.push(row);
  }
  return encodeCanonical(rows);
}

/** Head of a canonical list. */
const LIST_BYTES = 9;

/** Blocks decoded, and nothing verified. Throws LEDGER_FORM. */
function parseFarewell(bytes: Uint8Array): CharterStep[] {
  const rows = arrayOf(decodeCanonical(bytes, { bytesMax: FAREWELL_BYTES_MAX }), "a farewell");
  return rows.map((row) => {
    const [merge, entries, votes, ...rest] = arrayOf(row, "a step");
    if (rest.length > 0) throw refuse("a step is [merge, entries, votes]");
    return { merge: blockOf(merge), entries: blocksOf(entries), votes: blocksOf(votes) };
  });
}

function blocksOf(value: Canonical | undefined): Block[] {
  return arrayOf(value, "blocks").map(blockOf);
}

function blockOf(value: Canonical | undefined): Block {
  if (!(value instanceof Uint8Array)) throw refuse("a block is bytes");
  return decodeBlock(value);
}

/**
 * By which step the charter revokes the device: undefined where none of them does. Throws LEDGER_FORM and
 * LEDGER_SIGNATURE for steps that do not follow from the charter as it is known.
 */
export function revokedByFarewell(
  bytes: Uint8Array,
  known: CharterPlace,
  device: PublicKey,
): (Revocation & { readonly h: number; readonly charter: StateView }) | undefined {
  let place = known;
  for (const step of parseFarewell(bytes)) {
    const { state, head, entries } = takeStep(step, place);
    const found = findRevocation(entries, place.state, device);
    if (found !== undefined) return { ...found, h: head.h, charter: state };
    place = { ...place, state, head };
  }
  return undefined;
}

/** The entry of one merge by which a device came to be revoked; `entries` in the merge's order, on `state`. */
export function findRevocation(entries: readonly Block[], state: StateView, device: PublicKey): Revocation | undefined {
  if (authorOf(state, device)?.revoked === true) return undefined;
  const after = new OverlayState(state);
  for (const entry of entries) {
    after.apply(changesBy([entry], { by: state, on: after }));
    if (authorOf(after, device)?.revoked !== true) continue;
    return { by: authorOf(after, entry.a)?.principal ?? "", entry: entry.id, atMs: entry.t[0] };
  }
  return undefined;
}

/** Of entries that the charter before their merge lets in. */
function changesBy(
  entries: readonly Block[],
  { by, on }: { readonly by: StateView; readonly on: StateView },
): readonly StateChange[] {
  const judged = entries.map((entry) => judgeEntry(entry, by)).filter(({ refused }) => refused === undefined);
  return reduceCharter(judged, on).changes;
}

function takeStep(step: CharterStep, place: CharterPlace) {
  const { merge } = step;
  const { state, head, organisation } = place;
  const payload = parseMerge(checked(merge, organisation, "merge").d);
  const why =
    whyOutOfPlace(payload, place) ??
    whyNotMerge(merge.a, CHARTER_BRANCH, { name: CHARTER_BRANCH, head, charterFor: (h) => ({ h: h - 1, state }) }) ??
    whyNotFinal(step, place);
  if (why !== undefined) throw refuse(`the charter's merge ${merge.id}: ${why}`);
  const entries = entriesOf(step, payload, place);
  const after = new OverlayState(state, changesBy(entries, { by: state, on: state }));
  if (stateRoot(after.scan("")) !== payload.state["charter"])
    throw refuse(`the charter's merge ${merge.id} does not lead where it says`);
  return { state: after, head: { h: payload.h, id: merge.id }, entries };
}

/** Its own signature, since there is no log here to vouch for it [L9]. */
function checked(block: Block, organisation: Hash, kind: Block["k"]): Block {
  if (block.k !== kind || block.o !== organisation)
    throw refuse(`block ${block.id} is no ${kind} of this organisation`);
  if (!verifyBlock(block)) throw new GdoError("LEDGER_SIGNATURE", `block ${block.id} is not its author's`);
  return block;
}

function whyOutOfPlace({ branch, h, prev }: MergePayload, { head }: CharterPlace): string | undefined {
  const follows = branch === CHARTER_BRANCH && h === (head?.h ?? 0) + 1 && prev === (head?.id ?? null);
  return follows ? undefined : "it does not follow what is held";
}

/** [L16] By the charter before it. */
function whyNotFinal({ merge, votes }: CharterStep, { state, organisation }: CharterPlace): string | undefined {
  const validators = validatorsOf(state, CHARTER_BRANCH);
  if (validators?.mode !== "quorum") return undefined;
  const held = votes.map(
    (block): HeldVote => ({ id: block.id, author: checked(block, organisation, "vote").a, vote: parseVote(block.d) }),
  );
  const isFinal = certificateOf(castBy(state, commitsOn(merge.id, held)), merge.id, validators) !== undefined;
  return isFinal ? undefined : "it has not the votes that make it final";
}

/** In the merge's order [L12]. */
function entriesOf({ entries }: CharterStep, payload: MergePayload, { organisation }: CharterPlace): Block[] {
  const byId = new Map(entries.map((entry) => [checked(entry, organisation, "entry").id, entry]));
  if (includedRoot([...byId.keys()]) !== payload.set) throw refuse("the entries are not those of the merge");
  const seed = orderSeed(payload.prev ?? organisation, payload.cert);
  return orderEntries([...byId.values()], seed).map((id) => byId.get(id) as Block);
}
