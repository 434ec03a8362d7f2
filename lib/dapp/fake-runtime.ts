/**
 * A runtime that runs programs in this process: for tests and for simulating many nodes. It keeps the
 * contract of streams and ends; it confines nothing.
 */
import type {
  ContainerEnd,
  ContainerListener,
  ContainerProcess,
  ContainerRuntime,
  ContainerSpec,
  RuntimeInfo,
} from "./runtime.ts";

/** What a program has of its surroundings: the same three streams as in a container. */
export interface ProgramStreams {
  /** Pieces of standard input; ends when the host closes it. */
  readonly input: AsyncIterable<string>;
  write(text: string): void;
  log(text: string): void;
}

/** Resolves to its exit status (nothing is 0); a rejection is status 1 and goes to its log. */
export type Program = (streams: ProgramStreams, args: readonly string[]) => Promise<number | undefined>;

const STATUS_KILLED = 137;

export class FakeRuntime implements ContainerRuntime {
  readonly #programs: Readonly<Record<string, Program>>;
  readonly #running = new Set<FakeProcess>();
  #started = 0;

  /** Programs by the name of their dapp. */
  constructor(programs: Readonly<Record<string, Program>>) {
    this.#programs = programs;
  }

  async info(): Promise<RuntimeInfo> {
    return { runtime: "fake", version: "0", isRootless: true, missing: ["all confinement"], flaws: [] };
  }

  async start(spec: ContainerSpec, listener: ContainerListener): Promise<ContainerProcess> {
    const program = Object.hasOwn(this.#programs, spec.dapp) ? this.#programs[spec.dapp] : undefined;
    const container = new FakeProcess(`fake-${spec.dapp}-${++this.#started}`, listener);
    this.#running.add(container);
    void container.ended.then(() => this.#running.delete(container));
    if (program === undefined) container.end({ status: 1, limits: [], startFailure: `no program ${spec.dapp}` });
    else container.run(program, spec.run);
    return container;
  }

  async cleanup(): Promise<void> {
    await Promise.all([...this.#running].map((container) => container.kill()));
  }

  /** How many run; zero when nothing was left behind. */
  get runningCount(): number {
    return this.#running.size;
  }
}

class FakeProcess implements ContainerProcess {
  readonly name: string;
  readonly ended: Promise<ContainerEnd>;
  readonly #listener: ContainerListener;
  readonly #input = new InputQueue();
  #settle: (end: ContainerEnd) => void = () => {};
  #isOver = false;

  constructor(name: string, listener: ContainerListener) {
    this.name = name;
    this.#listener = listener;
    this.ended = new Promise((settle) => {
      this.#settle = settle;
    });
  }

  run(program: Program, args: readonly string[]): void {
    const streams: ProgramStreams = {
      input: this.#input,
      write: (text) => this.#say(() => this.#listener.output(Buffer.from(text))),
      log: (text) => this.#say(() => this.#listener.log(Buffer.from(text))),
    };
    const status = Promise.resolve().then(() => program(streams, args));
    void status.then(
      (code) => queueMicrotask(() => this.end({ status: code ?? 0, limits: [] })),
      (cause) => {
        streams.log(`${cause}\n`);
        queueMicrotask(() => this.end({ status: 1, limits: [] })); // After its last words.
      },
    );
  }

  end(end: ContainerEnd): void {
    this.#isOver = true;
    this.#input.close();
    this.#settle(end);
  }

  async write(text: string): Promise<void> {
    if (!this.#isOver) this.#input.push(text);
  }

  closeInput(): void {
    this.#input.close();
  }

  kill(): Promise<ContainerEnd> {
    this.end({ status: STATUS_KILLED, limits: [] });
    return this.ended;
  }

  /** Later than now, as a pipe would: a listener never hears output inside its own write. */
  #say(tell: () => void): void {
    queueMicrotask(() => {
      if (!this.#isOver) tell();
    });
  }
}

class InputQueue implements AsyncIterable<string> {
  readonly #pieces: string[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  push(piece: string): void {
    if (!this.#isClosed) this.#pieces.push(piece);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    while (true) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#isClosed) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
