/** Commands of dapps: what somebody asks for becomes acts, which become an entry of this node's log. */
import { GdoError } from "../../base/index.ts";
import type { Block, Canonical } from "../../codec/index.ts";
import { type Act, authorOf, MAIN_BRANCH } from "../../ledger/index.ts";
import type { GdoNode } from "../node.ts";
import { finalState } from "./working-apps.ts";

export interface CommandCall {
  readonly app: string;
  readonly command: string;
  readonly args: Canonical;
  readonly branch?: string | undefined;
}

/** [D7] As of the final state of the branch. NOT_FOUND, INPUT_INVALID, REFUSED with whose words it is, LEDGER_UNKNOWN_AUTHOR. */
export async function callCommand(node: GdoNode, call: CommandCall): Promise<{ block: Block; acts: readonly Act[] }> {
  const { app, command, args, branch } = call;
  const { db, dapps, clock, pair } = node.parts;
  node.assertKnown();
  const tree = node.treeOf(app);
  if (tree === undefined)
    throw new GdoError("NOT_FOUND", `no dapp is called ${app}`, { hint: "gdo dapp install FOLDER" });
  const { principal = "", rights = [] } = authorOf(db.charterAt(), pair.publicKey) ?? {};
  const own = db.lineOf(branch ?? MAIN_BRANCH, pair.publicKey);
  const line = db.branches().includes(own) ? own : undefined; // A line without a merge begins as `main` is.
  const actor = { principal, author: pair.publicKey, rights, shown: "key" } as const;
  const dapp = await dapps.dapp(tree);
  const acts = await dapp.command({ name: command, args, actor, timeMs: clock.nowMs() }, finalState(node, line));
  return { block: node.append(app, acts, branch), acts };
}
