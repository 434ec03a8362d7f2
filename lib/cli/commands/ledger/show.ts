/** `gdo show`: one block in words, then its fields, its votes and its payload as JSON. */
import { type CommandSpec, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { type Explained, explain } from "../../text/explain.ts";
import { payloadText } from "../../text/payload.ts";

interface Shown extends Explained {
  readonly id: string;
  readonly n: number;
  readonly parents: readonly string[];
  readonly l: string;
  readonly c: number;
  readonly payload: unknown;
  readonly bodyBytes: number;
  readonly votes?: readonly ShownVote[];
}

interface ShownVote {
  readonly voter: string;
  readonly r: number;
  readonly phase: string;
  readonly verdict?: string;
  readonly code?: string;
  readonly differences?: readonly { app: string; place: string; one?: unknown; other?: unknown }[];
}

/** One line a vote; under it what its validator got otherwise than the merge, both sides in one line. */
function voteLines({ voter, r, phase, verdict, code, differences = [] }: ShownVote): string[] {
  const said = [verdict, code].filter((word) => word !== undefined).join(" ");
  const side = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value));
  return [
    `${"vote".padEnd(11)}round ${r} ${phase} ${voter} ${said}`.trimEnd(),
    ...differences.map(
      ({ app, place, one, other }) => `${"".padEnd(11)}  ${app} ${place}: merge ${side(one)}, ${voter} ${side(other)}`,
    ),
  ];
}

function describe(block: Shown): string {
  const rows: [string, string][] = [
    ["id", block.id],
    ["kind", block.kind],
    ["author", `${block.name || "unknown"}${!block.principal ? "" : ` of ${block.principal}`} ${block.author}`],
    ["log", `${block.l} number ${block.n}, clock ${block.c}`],
    ["time", `${moment(block.timeMs)} UTC, as its author says`],
    ["status", block.reason === undefined ? block.status : `${block.status}: ${block.reason}`],
    ["signature", block.signature],
    ["size", `${block.bodyBytes} bytes`],
  ];
  if (block.included !== undefined) rows.push(["merged", `${block.included.branch}@${block.included.h}`]);
  for (const parent of block.parents) rows.push(["parent", parent]);
  const head = rows.map(([name, value]) => `${name.padEnd(11)}${value}`);
  const lines = [...head, ...(block.votes ?? []).flatMap(voteLines)];
  return `${explain(block).join("\n")}\n\n${lines.join("\n")}\n\n${payloadText(block.payload)}`;
}

export const show: CommandSpec = {
  name: "show",
  summary: "One block in words: who signed it, what it means, where it stands, what builds on it.",
  arguments: [{ form: "<id>", about: "a block's id, or its first digits while unique" }],
  exits: { 3: "there is no home", 10: "no block has this id", 11: "several ids begin so" },
  example: "gdo show 7f3c01d2",
  async run(session, { args: [id] }) {
    const block = (await withApi(session, (api) => api.call("show", { id }))) as Shown;
    session.out.emit("block", { ...block }, () => describe(block));
    return 0;
  },
};
