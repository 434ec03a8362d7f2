/**
 * What a line board and a door process say to each other: JSON objects, one a line, over a unix
 * socket. The board is the simulated hardware; it outlives door processes, as hardware does.
 *
 *   board → door   {"type":"advance","wallMs"}  {"type":"frame","seq","reader","edges":[[line,dtNs]…]}
 *   door → board   {"type":"hello","outputs","readers"}  {"type":"level","line","high","monoNs","wallMs"}
 *                  {"type":"done","seq","logged","edgeToStrikeUs","decisionUs","reasons"?}
 *   any → board    {"type":"safe"}
 */

import type { JsonObject } from "./json-lines.ts";
import type { DataLine } from "./line.ts";

export const LINE_MESSAGE_BYTES_MAX = 64 * 1024;
const EDGES_MAX = 1024;
const EDGE_BEFORE_NS_MAX = 60e9;
const NAMES_MAX = 64;
const NAME_CHARS_MAX = 64;

/** One edge: its data line, and how long before the frame's last edge it came. */
export type TrainEdge = readonly [line: DataLine, beforeLastNs: number];

export interface FrameMessage {
  readonly seq: number;
  readonly reader: string;
  readonly edges: readonly TrainEdge[];
}

/** What a door process says of a frame that it has dealt with. */
export interface FrameReport {
  /** Number of the log entry that records it; null when it made no frame, or could not be logged. */
  readonly logged: number | null;
  /** Last edge to the strike's line being written; null when nothing was struck. */
  readonly edgeToStrikeUs: number | null;
  readonly decisionUs: number | null;
  /** Why, for a display at the reader: reason codes, the one that decided first. */
  readonly reasons?: readonly string[];
}

export interface LevelMessage {
  readonly line: string;
  readonly high: boolean;
  readonly monoNs: bigint;
  readonly wallMs: number;
}

export interface HelloMessage {
  readonly outputs: readonly string[];
  readonly readers: readonly string[];
}

/** The edges of a whole frame at an even pace, as a reader sends them. */
export function edgesOf(bits: string, intervalNs = 1_000_000): TrainEdge[] {
  return [...bits].map((bit, index) => [bit === "1" ? 1 : 0, (bits.length - 1 - index) * intervalNs]);
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= NAME_CHARS_MAX;
const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= NAMES_MAX && value.every(isName);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCountOrNull = (value: unknown): value is number | null => value === null || isCount(value);

function isEdge(value: unknown): value is TrainEdge {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [line, beforeNs] = value as unknown[];
  return (line === 0 || line === 1) && isCount(beforeNs) && beforeNs <= EDGE_BEFORE_NS_MAX;
}

function isTrain(value: unknown): value is TrainEdge[] {
  if (!Array.isArray(value) || value.length > EDGES_MAX || !value.every(isEdge)) return false;
  return value.every(([, beforeNs], index) => beforeNs <= (value[index - 1]?.[1] ?? beforeNs));
}

/** undefined on a frame that no reader could send. */
export function parseFrameMessage({ seq, reader, edges }: JsonObject): FrameMessage | undefined {
  return isCount(seq) && isName(reader) && isTrain(edges) ? { seq, reader, edges } : undefined;
}

export function parseHello({ outputs, readers }: JsonObject): HelloMessage | undefined {
  return isNames(outputs) && isNames(readers) ? { outputs, readers } : undefined;
}

export function parseLevel({ line, high, monoNs, wallMs }: JsonObject): LevelMessage | undefined {
  const isSound = isName(line) && typeof high === "boolean" && typeof wallMs === "number";
  if (!isSound || typeof monoNs !== "string" || !/^\d{1,20}$/.test(monoNs)) return undefined;
  return { line, high, monoNs: BigInt(monoNs), wallMs };
}

export function parseDone({
  seq,
  logged,
  edgeToStrikeUs,
  decisionUs,
  reasons,
}: JsonObject): (FrameReport & { seq: number }) | undefined {
  const isSound = isCount(seq) && isCountOrNull(logged) && isCountOrNull(edgeToStrikeUs) && isCountOrNull(decisionUs);
  if (!isSound || (reasons !== undefined && !isNames(reasons))) return undefined;
  return { seq, logged, edgeToStrikeUs, decisionUs, ...(reasons === undefined ? {} : { reasons }) };
}
