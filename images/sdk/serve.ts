/**
 * The main loop of a dapp: lines in, lines out, JSON-RPC 2.0. One call at a time; during a call the dapp
 * may ask the host, and the answers come in between. Rules: docs/design/dapps.md.
 */
import { canonicalFromJson, jsonFromCanonical } from "../../lib/codec/json.ts";
import { Refusal } from "./refusal.ts";
import type { Actor, Canonical, Dapp, DappEvent, Entry, Input, Migration, Outcome, Reduction, State } from "./types.ts";

/** The three streams of a program. */
export interface Streams {
  readonly input: AsyncIterable<string>;
  write(text: string): void;
  log(text: string): void;
}

type Json = Readonly<Record<string, unknown>>;

function standardStreams(): Streams {
  process.stdin.setEncoding("utf8");
  return {
    input: process.stdin,
    write: (text) => void process.stdout.write(text),
    log: (text) => void process.stderr.write(text),
  };
}

/** Answers calls until the input ends. A call that throws is answered with an error, and said in the log. */
export async function serve<Commands>(typed: Dapp<Commands>, streams: Streams = standardStreams()): Promise<undefined> {
  const dapp = typed as unknown as Dapp; // The host has checked what the types say.
  const host = new HostLink((message) => streams.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`));
  for await (const line of linesOf(streams.input)) {
    const message = JSON.parse(line) as Json;
    if (typeof message.method !== "string") host.settle(message);
    else void answer(dapp, message, { host, streams });
  }
  return undefined;
}

async function* linesOf(input: AsyncIterable<string>): AsyncGenerator<string> {
  let held: string[] = [];
  for await (const piece of input) {
    const [first = "", ...rest] = piece.split("\n");
    held.push(first);
    for (const next of rest) {
      yield held.join("");
      held = [next];
    }
  }
}

async function answer(dapp: Dapp, message: Json, to: { host: HostLink; streams: Streams }): Promise<void> {
  try {
    const result = await perform(dapp, String(message.method), message.params as Json, to.host);
    to.host.send({ id: message.id, result });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    to.streams.log(`${cause instanceof Error ? cause.stack : text}\n`);
    to.host.send({ id: message.id, error: { code: -32000, message: text } });
  }
}

async function perform(dapp: Dapp, method: string, params: Json, host: HostLink): Promise<unknown> {
  switch (method) {
    case "reduce":
      return reductionToWire(await dapp.reduce(inputFromWire(params), host.view("now")));
    case "test":
      if (dapp.test === undefined) return { verdict: "PASS" };
      return dapp.test(inputFromWire(params), host.view("before"), host.view("after"));
    case "query": {
      const query = dapp.queries?.[String(params.name)];
      if (query === undefined) throw new Error(`no query ${params.name}`);
      return jsonFromCanonical(await query(canonicalFromJson(params.args), host.view("now")));
    }
    case "migrate":
      if (dapp.migrate === undefined) throw new Error(`no way from form ${params.from} of the state to ${params.to}`);
      return { changes: changesToWire(await dapp.migrate(params as unknown as Migration, host.view("now"))) };
    case "command":
      return command(dapp, params, host.view("now"));
    default:
      throw new Error(`no method ${method}`);
  }
}

async function command(dapp: Dapp, { name, args, actor, time }: Json, state: State): Promise<unknown> {
  const perform = dapp.commands?.[String(name)];
  if (perform === undefined) throw new Error(`no command ${name}`);
  try {
    const acts = await perform(canonicalFromJson(args), state, { ...(actor as Actor), timeMs: time as number });
    return { acts: acts.map(([type, body]) => [type, jsonFromCanonical(body)]) };
  } catch (cause) {
    if (cause instanceof Refusal) return { refused: cause.message };
    throw cause;
  }
}

function inputFromWire({ height, seed, entries, events }: Json): Input {
  return {
    height: height as number,
    seed: seed as string,
    entries: (entries as Json[]).map(entryFromWire),
    events: (events as Json[]).map((event) => ({ ...event, event: canonicalFromJson(event.event) }) as DappEvent),
  };
}

/** The parsed line is this call's alone, so it becomes the entry itself. */
function entryFromWire(wire: Json): Entry {
  const entry = wire as Record<string, unknown>;
  for (const act of entry.acts as [string, unknown][]) act[1] = canonicalFromJson(act[1]);
  entry.timeMs = entry.time;
  return entry as unknown as Entry;
}

function reductionToWire({ outcomes, changes }: Reduction): unknown {
  return { outcomes: outcomes.map(outcomeToWire), changes: changesToWire(changes) };
}

function changesToWire(changes: Reduction["changes"]): unknown {
  return changes.map(([key, value]) => [key, value === undefined ? null : jsonFromCanonical(value)]);
}

function outcomeToWire({ id, void: reason, events = [] }: Outcome): unknown {
  if (reason !== undefined) return { id, void: reason };
  return events.length === 0 ? { id } : { id, events: events.map(jsonFromCanonical) };
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: Error) => void;
}

/** Questions to the host that wait for their answers. */
class HostLink {
  readonly send: (message: object) => void;
  readonly #open = new Map<unknown, Asked>();
  #made = 0;

  constructor(send: (message: object) => void) {
    this.send = send;
  }

  settle({ id, result, error }: Json): void {
    const asked = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) asked?.resolve(result);
    else asked?.reject(new Error(String((error as Json).message)));
  }

  /** State at one of the positions that the call has. */
  view(view: string): State {
    const ask = (method: string, params: object): Promise<unknown> => this.#ask(method, { view, ...params });
    return {
      async get(key, app) {
        const value = await ask("get", { key, app });
        return value === null ? undefined : canonicalFromJson(value);
      },
      async *scan(prefix, app) {
        let page = (await ask("scan", { prefix, app })) as { items: [string, unknown][]; cursor?: number };
        while (true) {
          for (const [key, value] of page.items) yield [key, canonicalFromJson(value)] as const;
          if (page.cursor === undefined) return;
          page = (await ask("next", { cursor: page.cursor })) as typeof page;
        }
      },
      async blob(id) {
        return canonicalFromJson(await ask("blob", { id })) as Canonical & Uint8Array;
      },
    };
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = `h${++this.#made}`;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.send({ id, method, params });
    });
  }
}
