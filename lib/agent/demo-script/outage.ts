/** `--outage NODE:FROM-TO`: whose link to the others is cut, and when. */
import { GdoError } from "../../base/index.ts";
import { DAY_MS } from "./day.ts";

export interface Outage {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const FORM = /^([a-z0-9-]+):(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/;

function ofDay(hours: string, minutes: string): number {
  return Number(minutes) < 60 ? (Number(hours) * 60 + Number(minutes)) * 60_000 : Number.NaN;
}

/** USAGE says which part is wrong. `nodes` are those that have a link to cut. */
export function parseOutage(text: string, nodes: readonly string[]): Outage {
  const match = FORM.exec(text);
  if (match === null)
    throw new GdoError("USAGE", `--outage takes NODE:FROM-TO as in front-door:10:00-14:00, not '${text}'`);
  const [, node = "", fromHours = "", fromMinutes = "", toHours = "", toMinutes = ""] = match;
  if (!nodes.includes(node))
    throw new GdoError("USAGE", `--outage: '${node}' has no link to cut; ${nodes.join(" and ")} have`);
  const fromMs = ofDay(fromHours, fromMinutes);
  const toMs = ofDay(toHours, toMinutes);
  if (!(fromMs <= DAY_MS && toMs <= DAY_MS))
    throw new GdoError("USAGE", `--outage: '${text}' names a time that no day has`);
  if (fromMs >= toMs) throw new GdoError("USAGE", "--outage: it must end after it begins");
  return { node, fromMs, toMs };
}
