/**
 * A branch that nobody can merge any more: those who would have to make its next merge, by the charter that its last
 * one names [L16], have lost their devices since, and only a merge could name a later charter.
 */
import type { PublicKey } from "../../base/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { authorOf, deciderOf, type StateView, validatorsOf } from "../../ledger/index.ts";

/** Undefined where enough of them are left. */
export function strandedWords(db: LedgerDb, branch: string): string | undefined {
  const view = db.branchView(branch);
  const then = view.charterFor((view.head?.h ?? 0) + 1)?.state;
  const validators = then === undefined ? undefined : validatorsOf(then, branch);
  if (then === undefined || validators === undefined || validators.mode === "open") return undefined;
  const { mode, principals, q } = validators;
  const now = db.charterAt();
  const isLeft = (key: PublicKey | undefined): boolean => key !== undefined && authorOf(now, key)?.revoked === false;
  const canSign = (id: string): boolean =>
    mode === "quorum" ? isLeft(deciderOf(then, id)) : devicesOf(then, id).some(isLeft);
  const gone = principals.filter((id) => !canSign(id));
  if (principals.length - gone.length >= q) return undefined;
  return `nobody can merge ${branch} any more: its next merge needs devices of ${gone.join(", ")} that were revoked; gdo fork ${branch} NAME goes on from what is final`;
}

function devicesOf(charter: StateView, principal: string): PublicKey[] {
  return [...charter.scan("device/")].flatMap(([key]) => {
    const device = key.slice("device/".length) as PublicKey;
    const owner = authorOf(charter, device);
    return owner?.principal === principal && !owner.revoked ? [device] : [];
  });
}
