/** The machine's clock, whose wall time can be set: what a node shows while a day is played to its doors. */
import { SystemClock } from "../base/index.ts";

/** Only the wall time moves; timers stay the machine's. */
export class SteerableClock extends SystemClock {
  #shiftMs = 0;

  constructor(wallMs: number) {
    super();
    this.setWall(wallMs);
  }

  override nowMs(): number {
    return super.nowMs() + this.#shiftMs;
  }

  setWall(wallMs: number): void {
    this.#shiftMs = wallMs - super.nowMs();
  }
}
