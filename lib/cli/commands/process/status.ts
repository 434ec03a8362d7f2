/** `gdo status`: what this home is and how it stands. */
import { type CommandSpec, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { refusedText } from "../../text/refusals.ts";

interface Branch {
  readonly name: string;
  readonly mode: string;
  readonly h: number;
  readonly head?: string;
  readonly void: number;
  /** Only in mode quorum. */
  readonly validators?: readonly string[];
  readonly q?: number;
  readonly tolerates?: string;
  readonly waits?: string;
  /** Validators that are not there, where something waits for them. */
  readonly away?: readonly string[];
}

interface Status {
  readonly organisation: { id: string; name: string };
  readonly node: { name: string; key: string; principal: string };
  readonly revoked?: { why: string; todo: string };
  readonly brokerPort?: number;
  readonly incarnation?: { atMs: number; why: string };
  readonly alarms?: readonly string[];
  readonly branches: readonly Branch[];
  readonly entries: number;
  readonly pending: number;
  readonly stateRoot: string;
  readonly waiting: Readonly<Record<string, string>>;
  readonly dapps: readonly { name: string; version: string; tree: string }[];
  readonly peers: readonly { key: string; name: string; connected: boolean; inStep: boolean; stalled?: string }[];
  readonly door?: { linked: boolean; lastN: number; policyGeneration: number };
  readonly policy?: { generation: number; issuedMs: number; hardMs: number; credentials: number };
  readonly refused: Readonly<Record<string, number>>;
  readonly store: { objects: number; bytes: number };
}

type Row = readonly [name: string, value: string];

function doorRows({ door, policy }: Status): Row[] {
  const rows: Row[] = [];
  if (policy !== undefined) {
    const life = `issued ${moment(policy.issuedMs)}, dead after ${moment(policy.hardMs)}`;
    rows.push(["policy", `generation ${policy.generation}, ${policy.credentials} cards, ${life}`]);
  }
  if (door !== undefined) {
    const link = door.linked ? "linked" : "not linked";
    rows.push(["door", `${link}, decides by generation ${door.policyGeneration}, last event ${door.lastN}`]);
  }
  return rows;
}

function branchRows({ name, mode, h, head, void: voids, validators, q, tolerates, waits, away }: Branch): Row[] {
  const at = head === undefined ? "not merged yet" : `height ${h} ${head.slice(0, 12)}`;
  const rows: Row[] = [["branch", `${name} (${mode}), ${at}, ${voids} void`]];
  if (validators !== undefined) rows.push(["", `${q} of ${validators.join(", ")} decide; ${tolerates}`]);
  const missing = away === undefined ? "" : `; away now: ${away.join(", ")}`;
  if (waits !== undefined) rows.push(["", `${name}@${h + 1}: ${waits}${missing}`]);
  return rows;
}

function rowsOf(status: Status): Row[] {
  const rows: Row[] = [
    ["organisation", `${status.organisation.name} ${status.organisation.id.slice(0, 12)}`],
    ["node", `${status.node.name} of ${status.node.principal}, key ${status.node.key.slice(0, 12)}`],
  ];
  if (status.revoked !== undefined) rows.push(["revoked", `${status.revoked.why}; ${status.revoked.todo}`]);
  if (status.brokerPort !== undefined) rows.push(["broker", `port ${status.brokerPort}`]);
  const { incarnation, alarms = [] } = status;
  if (incarnation !== undefined) rows.push(["log", `${moment(incarnation.atMs)}: ${incarnation.why}`]);
  for (const alarm of alarms) rows.push(["alarm", alarm]);
  rows.push(["entries", `${status.entries}, ${status.pending} pending`]);
  for (const branch of status.branches) rows.push(...branchRows(branch));
  for (const why of Object.values(status.waiting)) rows.push(["waits", why]);
  rows.push(["state", status.stateRoot.slice(0, 12)]);
  for (const { name, version, tree } of status.dapps) {
    rows.push(["dapp", `${name} ${version} ${tree.slice(0, 12)}`]);
  }
  for (const { name, key, connected, inStep, stalled } of status.peers) {
    const presence = inStep ? "in step" : "exchanging";
    const standing = connected ? presence : "away";
    rows.push([
      "peer",
      `${name || "unknown"} ${key.slice(0, 12)}, ${standing}${stalled === undefined ? "" : `: ${stalled}`}`,
    ]);
  }
  rows.push(...doorRows(status), ["store", `${status.store.objects} objects, ${status.store.bytes} bytes`]);
  for (const [reason, count] of Object.entries(status.refused)) rows.push(["refused", refusedText(reason, count)]);
  return rows;
}

export const status: CommandSpec = {
  name: "status",
  summary: "Organisation, branches, peers, door, dapps, store of this home.",
  exits: { 3: "there is no home", 52: "the agent went away" },
  example: "gdo status",
  async run(session) {
    const now = (await withApi(session, (api) => api.call("status"))) as Status;
    session.out.emit("status", { ...now }, () =>
      rowsOf(now)
        .map(([name, value]) => `${name.padEnd(14)}${value}`)
        .join("\n"),
    );
    return 0;
  },
};
