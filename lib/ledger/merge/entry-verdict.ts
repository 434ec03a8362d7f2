/** An entry as a branch takes it: who said it and with which rights, by the charter that the merge names. */
import type { Block } from "../../codec/index.ts";
import { authorOf } from "../charter/state.ts";
import { parseEntryPayload } from "../entry.ts";
import type { LedgerEntry, StateView } from "../types.ts";
import { mayAppend } from "./validators.ts";

/**
 * The entry for reducers, of the branch that it is for or `into` another that takes it: whoever may append there
 * has let it in. `refused` says why the branch does not take it: its policy may name a role that
 * appends. What a revoked device signed is a fact; its author has no rights, and the reducers judge it.
 */
export function judgeEntry(block: Block, charter: StateView, into?: string): LedgerEntry {
  const author = authorOf(charter, block.a);
  const { app, branch, acts } = parseEntryPayload(block.d);
  const { principal, rights } = author ?? { principal: "", rights: [] };
  const entry = { id: block.id, author: block.a, principal, rights, timeMs: block.t[0], app, acts };
  if ((into !== undefined && into !== branch) || mayAppend(charter, branch, principal)) return entry;
  return { ...entry, refused: `${principal || "its author"} may not append to ${branch}` };
}
