/** What the demo tells as it goes: data for `--json`, and the source of the story. */
import type { Quantiles } from "../demo-script/tally.ts";

export interface DoorSummary {
  readonly frames: number;
  readonly granted: number;
  readonly denied: number;
  /** The same by reason code. */
  readonly deniedBy: Readonly<Record<string, number>>;
  readonly frameErrors: number;
  readonly offlineDecisions: number;
}

export interface NodeSummary {
  /** Entry blocks that the node holds, whoever wrote them. */
  readonly entries: number;
  readonly stateRoot: string;
}

export interface Summary {
  readonly doors: Readonly<Record<string, DoorSummary>>;
  /** The machine that asks for dues and a certificate; the day file knows nothing of it. */
  readonly lathe: DoorSummary;
  readonly nodes: Readonly<Record<string, NodeSummary>>;
  readonly merges: number;
  readonly void: number;
  readonly decisionMs: Quantiles;
  readonly strikeMs: Quantiles;
  /** Frames whose door died before it said what it did with them. */
  readonly unanswered: number;
  /** Processes started again after they had died. */
  readonly restarts: number;
  /** From the last frame until all nodes were equal. */
  readonly convergedMs: number;
}

export type DemoEvent =
  | { readonly type: "begin"; readonly folder: string }
  | { readonly type: "founded"; readonly organisation: string; readonly nodes: readonly string[] }
  | { readonly type: "dapp"; readonly name: string; readonly version: string }
  | ({ readonly type: "imported"; readonly path: string } & Imported)
  | { readonly type: "armed"; readonly node: string; readonly generation: number }
  | DayEvent
  | FrameEvent
  | {
      readonly type: "link";
      readonly node: string;
      readonly state: "cut" | "restored";
      readonly atMs: number;
      readonly offline: number;
    }
  | {
      readonly type: "merge";
      readonly h: number;
      readonly included: number;
      readonly void: number;
      readonly atMs: number;
    }
  | { readonly type: "died"; readonly process: string; readonly how: string; readonly atMs: number }
  /** The guardian brought a strike down whose door process had died. */
  | { readonly type: "released"; readonly node: string; readonly line: string; readonly atMs: number }
  | { readonly type: "dayend"; readonly atMs: number }
  | { readonly type: "converged"; readonly ms: number; readonly entries: number; readonly stateRoot: string }
  | ({ readonly type: "summary" } & Summary);

export interface Imported {
  readonly format: string;
  readonly rows: number;
  readonly people: number;
  readonly credentials: number;
  readonly allowed: number;
  readonly denied: number;
  readonly problems: readonly { line: number; what: string; effect: string }[];
}

export interface DayEvent {
  readonly type: "day";
  readonly frames: number;
  /** Whose doors have frames on this day. */
  readonly nodes: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly speed: number;
}

export interface FrameEvent {
  readonly type: "frame";
  readonly atMs: number;
  readonly node: string;
  readonly reader: string;
  readonly isOffline: boolean;
  /** Number of the entry in the door's log; null when the door could not log it or died first. */
  readonly logged: number | null;
  readonly isAnswered: boolean;
  readonly isGranted: boolean;
  /** Reason codes as the door gave them; empty when it died first. */
  readonly reasons: readonly string[];
  /** Whose card it was, where the script knows. */
  readonly who?: string;
}
