/** Calls to the agent of one home, which may die and come back between any two of them. */
import { type Clock, GdoError } from "../../base/index.ts";
import { ControlClient } from "../control.ts";
import { homePaths } from "../home/home.ts";
import { until } from "./waiting.ts";

const RETRY_MS = 50;
const PATIENCE_MS = 30_000;

export class AgentLink {
  readonly #name: string;
  readonly #path: string;
  readonly #clock: Clock;
  #client: ControlClient | undefined;
  #isClosed = false;

  constructor(name: string, root: string, clock: Clock) {
    this.#name = name;
    this.#path = homePaths(root).controlSocket;
    this.#clock = clock;
  }

  /** One try. undefined when the agent is not there; its refusals are thrown. */
  async ask(method: string, params: unknown = {}): Promise<unknown> {
    if (this.#isClosed) throw new GdoError("AGENT_UNREACHABLE", `${this.#name} is being stopped`);
    this.#client ??= await ControlClient.connect(this.#path);
    if (this.#client === undefined) return undefined;
    try {
      return await this.#client.call(method, params);
    } catch (error) {
      if (!(error instanceof GdoError && error.code === "AGENT_UNREACHABLE")) throw error;
      this.#client = undefined;
      return undefined;
    }
  }

  /** One try that must be answered: for what may not be asked twice. AGENT_UNREACHABLE when it is not. */
  async command(method: string, params: unknown = {}): Promise<unknown> {
    const answer = await this.ask(method, params);
    if (answer === undefined)
      throw new GdoError("AGENT_UNREACHABLE", `${this.#name} went away while it was asked to ${method}`);
    return answer;
  }

  /** Asks until the agent is there. Only for what may be asked twice. */
  insist(method: string, params: unknown = {}): Promise<unknown> {
    const patience = {
      clock: this.#clock,
      everyMs: RETRY_MS,
      withinMs: PATIENCE_MS,
      what: `an answer of ${this.#name}`,
    };
    return until(patience, () => this.ask(method, params));
  }

  /** Whoever still waits for an answer, or asks for one, hears that it is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.close();
    this.#client = undefined;
  }
}
