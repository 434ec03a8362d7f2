/** An entry as a branch takes it: who said it and with which rights, by the charter that the merge names. */
import type { PublicKey } from "../../base/index.ts";
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
  return entryJudge(charter, into)(block);
}

/** As judgeEntry, for many: an author is looked up once. The charter must not change meanwhile. */
export function entryJudge(charter: StateView, into?: string): (block: Block) => LedgerEntry {
  const author = remembering((key: PublicKey) => authorOf(charter, key) ?? NOBODY);
  const isIn = remembering((branch: string) => remembering((who: string) => mayAppend(charter, branch, who)));
  return (block) => {
    const { app, branch, acts } = parseEntryPayload(block.d);
    const { principal, rights } = author(block.a);
    const entry = { id: block.id, author: block.a, principal, rights, timeMs: block.t[0], app, acts };
    if ((into !== undefined && into !== branch) || isIn(branch)(principal)) return entry;
    return { ...entry, refused: `${principal || "its author"} may not append to ${branch}` };
  };
}

const NOBODY = { principal: "", rights: [] };

function remembering<K, V>(look: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? look(key);
    known.set(key, value);
    return value;
  };
}
