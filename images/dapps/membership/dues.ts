/**
 * Until when somebody is a member in good standing: what accounting says of their dues, or a waiver by the
 * office. Times, never states: whoever asks compares them with its own clock.
 *
 *   dues/<person>     {untilMs}            from accounting's events
 *   waiver/<person>   {untilMs?, reason}   without untilMs for good
 */
import {
  type Canonical,
  type DappEvent,
  type Draft,
  integer,
  keyPart,
  optional,
  Refusal,
  readFields,
  type State,
  text,
} from "../../sdk/index.ts";
import { personId, personIn } from "./people.ts";

const DUES_APP = "accounting";
const TIME_MAX = Number.MAX_SAFE_INTEGER;

interface Waiver {
  readonly untilMs?: number;
  readonly reason: string;
}

/** Takes what accounting says; a person who is not here yet may have paid already. */
export function takeEvent({ app, event }: DappEvent, draft: Draft): void {
  const { type, person, untilMs } = event as Readonly<Record<string, Canonical>>;
  if (app !== DUES_APP || type !== "dues" || !personId.accepts(person) || typeof untilMs !== "number") return;
  const key = `dues/${keyPart(person)}`;
  if (untilMs > 0) draft.put(key, { untilMs });
  else draft.delete(key);
}

/** Somebody who works their dues off, or for whom the office has another reason. */
export async function waiveDues(body: Canonical, draft: Draft): Promise<void> {
  const checks = { id: personId, untilMs: optional(integer(0, TIME_MAX)), reason: text(200) };
  const { id, ...waiver } = readFields(body, checks);
  if ((await personIn(draft, id)) === undefined) throw new Refusal(`there is no person ${id}`);
  draft.put(`waiver/${keyPart(id)}`, waiver as Canonical);
}

export async function endWaiver(body: Canonical, draft: Draft): Promise<void> {
  const { id } = readFields(body, { id: personId });
  if ((await draft.get(`waiver/${keyPart(id)}`)) === undefined) throw new Refusal(`${id} has no waiver`);
  draft.delete(`waiver/${keyPart(id)}`);
}

/** {standing, untilMs, waiver}: untilMs null for good, 0 for never. */
export async function queryStanding(args: Canonical, state: State): Promise<Canonical> {
  const { id, at } = readFields(args, { id: personId, at: integer(0, TIME_MAX) });
  const dues = (await state.get(`dues/${keyPart(id)}`)) as { untilMs: number } | undefined;
  const waiver = (await state.get(`waiver/${keyPart(id)}`)) as Waiver | undefined;
  const isForGood = waiver !== undefined && waiver.untilMs === undefined;
  const untilMs = isForGood ? null : Math.max(dues?.untilMs ?? 0, waiver?.untilMs ?? 0);
  const lapsed = untilMs === 0 ? "never paid" : "lapsed";
  const standing = untilMs === null || untilMs > at ? "active" : lapsed;
  return { standing, untilMs, waiver: (waiver as Canonical | undefined) ?? null };
}
