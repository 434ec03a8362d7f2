/**
 * The usual reduce: entries in order, each whole or void. A handler works on a draft of the state; what
 * it did is kept when all acts of the entry were accepted, and forgotten when one was refused.
 */
import { compareKeys } from "./keys.ts";
import { Refusal } from "./refusal.ts";
import type { Canonical, DappEvent, Entry, Input, Outcome, Reduction, State } from "./types.ts";

type Changes = Map<string, Canonical | undefined>;

/** State as it is in the middle of a reduce. */
export class Draft {
  /** State before this call, also that of other dapps. */
  readonly state: State;
  readonly events: Canonical[] = [];
  readonly changes: Changes = new Map();
  readonly #kept: Changes;

  constructor(state: State, kept: Changes) {
    this.state = state;
    this.#kept = kept;
  }

  async get(key: string): Promise<Canonical | undefined> {
    if (this.changes.has(key)) return this.changes.get(key);
    if (!this.#kept.has(key)) this.#kept.set(key, await this.state.get(key)); // Asked once a call.
    return this.#kept.get(key);
  }

  put(key: string, value: Canonical): void {
    this.changes.set(key, value);
  }

  delete(key: string): void {
    this.changes.set(key, undefined);
  }

  /** Keys under a prefix as they are now, in byte order. */
  async *scan(prefix: string): AsyncGenerator<readonly [string, Canonical]> {
    const found = new Map<string, Canonical | undefined>();
    for await (const [key, value] of this.state.scan(prefix)) found.set(key, value);
    for (const changes of [this.#kept, this.changes]) {
      for (const [key, value] of changes) if (key.startsWith(prefix)) found.set(key, value);
    }
    const present = [...found].filter((pair): pair is [string, Canonical] => pair[1] !== undefined);
    yield* present.sort(([a], [b]) => compareKeys(a, b));
  }

  /** Tells the dapps that read this one. */
  emit(event: Canonical): void {
    this.events.push(event);
  }
}

/** Takes one act; a Refusal makes the whole entry void, with the reason. */
export type Handler<Body = Canonical> = (body: Body, draft: Draft, entry: Entry) => void | Promise<void>;

/** One for each act; with `Acts` made from the schemas, bodies are what the host has checked. */
export type Handlers<Acts> = { readonly [Type in keyof Acts]: Handler<Acts[Type]> };

type AnyHandlers = Readonly<Record<string, Handler>>;

/** Takes one event of a dapp that this one reads. It has nobody to refuse: what it cannot use it leaves. */
export type EventHandler = (event: DappEvent, draft: Draft) => void | Promise<void>;

/** Folds entries by the handlers of their act types, and events where they stand among them. */
export async function fold<Acts = Readonly<Record<string, Canonical>>>(
  input: Input,
  state: State,
  typed: Handlers<Acts>,
  onEvent: EventHandler = () => {},
): Promise<Reduction> {
  const handlers = typed as unknown as AnyHandlers;
  const seen: Changes = new Map();
  const changed = new Set<string>();
  const keep = (draft: Draft): void => {
    for (const [key, value] of draft.changes) {
      seen.set(key, value);
      changed.add(key);
    }
  };
  const outcomes: Outcome[] = [];
  const events = [...input.events].sort((a, b) => a.at - b.at);
  let taken = 0;
  const takeEvents = async (before: number): Promise<void> => {
    for (let event = events[taken]; event !== undefined && event.at < before; event = events[taken]) {
      const draft = new Draft(state, seen);
      await onEvent(event, draft);
      keep(draft);
      taken += 1;
    }
  };
  for (const entry of input.entries) {
    if (taken < events.length) await takeEvents(entry.at);
    const draft = new Draft(state, seen);
    const reason = await refusalOf(entry, draft, handlers);
    outcomes.push(reason === undefined ? { id: entry.id, events: draft.events } : { id: entry.id, void: reason });
    if (reason === undefined) keep(draft);
  }
  await takeEvents(Number.POSITIVE_INFINITY);
  return { outcomes, changes: [...changed].map((key) => [key, seen.get(key)] as const) };
}

async function refusalOf(entry: Entry, draft: Draft, handlers: AnyHandlers): Promise<string | undefined> {
  for (const [type, body] of entry.acts) {
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    if (handler === undefined) return `there is no act ${type.slice(0, 64)}`;
    try {
      await handler(body, draft, entry);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      return `${type}: ${cause.message}`.slice(0, 256);
    }
  }
  return undefined;
}
