/** One strike with its door's states: grants in, the line's level out. */
import { DOOR_INIT, type DoorInput, type DoorState, stepDoor } from "../../access/index.ts";
import type { Clock, Log } from "../../base/index.ts";
import { type OutputLine, Strike } from "../../device/index.ts";

export class DoorLatch {
  readonly #strike: Strike;
  readonly #clock: Clock;
  #state: DoorState = DOOR_INIT;

  constructor(line: OutputLine, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#strike = new Strike(line, clock, {
      onElapsed: () => void this.#step({ type: "elapsed" }),
      onReleased: () => void this.#step({ type: "released" }),
      onFault: (cause) => log.error("the strike's line failed", { line: line.name, cause: String(cause) }),
    });
  }

  get state(): DoorState["name"] {
    return this.#state.name;
  }

  /** Asserts the safe level; until the line has taken it nothing unlocks [A4]. */
  start(): Promise<void> {
    return this.#strike.release();
  }

  /** Energises, or makes a pulse under way longer. False when the door does not unlock now. */
  grant(unlockMs: number): Promise<boolean> {
    return this.#step({ type: "granted", nowNs: this.#clock.monoNs(), unlockMs });
  }

  async #step(input: DoorInput): Promise<boolean> {
    const { state, outputs } = stepDoor(this.#state, input);
    this.#state = state;
    for (const output of outputs) {
      if (output.type === "energise") await this.#strike.unlock(output.forMs);
      else await this.#strike.release();
    }
    return outputs.some(({ type }) => type === "energise");
  }

  /** Locks and gives the line back. */
  async close(): Promise<void> {
    await this.#step({ type: "lock" });
    await this.#strike.close();
  }
}
