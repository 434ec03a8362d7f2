/** What doors and readers need of a line. Boards differ; this does not. Rules: docs/design/door.md. */

/** One output line. */
export interface OutputLine {
  readonly name: string;
  /** Writes apply in call order. Resolves when the level is on its way to the wire; LINE_INVALID when it is not. */
  write(high: boolean): Promise<void>;
  /** Leaves the line low as far as it can. Never rejects; a later write does. */
  close(): Promise<void>;
}

/** Data line of a Wiegand reader: a falling edge on 0 is a zero bit, on 1 a one bit. */
export type DataLine = 0 | 1;

/** Takes a reader's edges. Stamps are on the monotonic clock of the process and never go back. */
export interface EdgeSink<Report> {
  edge(line: DataLine, stampNs: bigint): void;
  /** Resolves when no frame is open and all frames so far have been handled; gives the last one's report. */
  settled(): Promise<Report | undefined>;
}
