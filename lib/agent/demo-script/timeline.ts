/** What happens at one node in the course of a day, in order. Pure. */

import { nodeOfReader } from "./cast.ts";
import type { Frame } from "./day.ts";
import type { Outage } from "./outage.ts";

export type Moment =
  | { readonly act: "frame"; readonly atMs: number; readonly frame: Frame }
  | { readonly act: "cut" | "restore"; readonly atMs: number };

/** The node's frames with the outage between them: a frame at the very moment of a change comes after it. */
export function timelineOf(node: string, frames: readonly Frame[], outage: Outage | undefined): Moment[] {
  const own = frames.filter(({ reader }) => nodeOfReader(reader) === node);
  const moments: Moment[] = own.map((frame) => ({ act: "frame", atMs: frame.atMs, frame }));
  if (outage?.node !== node) return moments;
  const insert = (moment: Moment): void => {
    const at = moments.findIndex(({ atMs }) => atMs >= moment.atMs);
    moments.splice(at === -1 ? moments.length : at, 0, moment);
  };
  insert({ act: "restore", atMs: outage.toMs });
  insert({ act: "cut", atMs: outage.fromMs });
  return moments;
}

const LEAD_MS = 30 * 60_000;

/** The demo's clocks start at a half hour, at least half an hour before the first frame: 06:30 for 07:01. */
export function startOfDay(frames: readonly Frame[]): number {
  const first = frames[0]?.atMs ?? 0;
  return Math.floor(first / LEAD_MS) * LEAD_MS - LEAD_MS;
}

const DEFAULT_PLAY_S = 30;

/** Day seconds per second that play the whole day in about half a minute; never slower than life. */
export function defaultSpeed(frames: readonly Frame[]): number {
  const spanMs = (frames.at(-1)?.atMs ?? 0) - (frames[0]?.atMs ?? 0);
  return Math.max(1, Math.ceil(spanMs / 1000 / DEFAULT_PLAY_S));
}
