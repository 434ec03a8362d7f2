/** An output line that remembers what was written to it, and fails when told to. */
import { GdoError } from "../../lib/base/index.ts";
import type { OutputLine } from "../../lib/device/index.ts";

export class RecordingLine implements OutputLine {
  readonly name: string;
  readonly levels: boolean[] = [];
  /** The next writes of this level fail. */
  failHigh = 0;
  failLow = 0;
  #isClosed = false;

  constructor(name = "strike") {
    this.name = name;
  }

  async write(high: boolean): Promise<void> {
    if (this.#isClosed || this.#fails(high)) throw new GdoError("LINE_INVALID", `line ${this.name} does not answer`);
    this.levels.push(high);
  }

  #fails(high: boolean): boolean {
    if (high) return this.failHigh > 0 && this.failHigh-- > 0;
    return this.failLow > 0 && this.failLow-- > 0;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.levels.push(false);
    this.#isClosed = true;
  }
}
