/** What every ContainerRuntime keeps. Each implementation's test file is one call of this suite. */
import anyTest, { type TestFn } from "ava";
import type { ContainerRuntime, ContainerSpec } from "../../lib/dapp/index.ts";

/** What a test gets: a fresh runtime, and the spec of a program of test/fixtures/dapps by its name. */
export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime;
  spec(program: string): ContainerSpec;
  /** Names of what is left on the machine. */
  leftBehind(): string[];
}

export interface RuntimeSetup {
  open(): Promise<RuntimeUnderTest>;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
}

class Recorder {
  output = "";
  logged = "";
  readonly listener = {
    output: (bytes: Uint8Array): void => {
      this.output += Buffer.from(bytes).toString("utf8");
    },
    log: (bytes: Uint8Array): void => {
      this.logged += Buffer.from(bytes).toString("utf8");
    },
  };
}

export function containerRuntimeContract(name: string, { open, missing }: RuntimeSetup): void {
  const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
  const about = (title: string): string => `${name}: ${title}${missing === undefined ? "" : ` (${missing})`}`;

  test(about("what is written comes to the program and its output back, in order"), async (t) => {
    const { runtime, spec } = await open();
    const heard = new Recorder();
    const container = await runtime.start(spec("echo"), heard.listener);
    const pieces = Array.from({ length: 64 }, (_, index) => `${index} ${"e".repeat(16_384)}\n`);
    for (const piece of pieces) await container.write(piece);
    container.closeInput();
    const end = await container.ended;
    t.is(heard.output, pieces.join(""));
    t.deepEqual(end, { status: 7, limits: [] });
  });

  test(about("a closed input ends a well-behaved program"), async (t) => {
    const { runtime, spec } = await open();
    const container = await runtime.start(spec("silent"), new Recorder().listener);
    container.closeInput();
    t.deepEqual(await container.ended, { status: 0, limits: [] });
  });

  test(about("the status of a program is told"), async (t) => {
    const { runtime, spec } = await open();
    const container = await runtime.start(spec("three"), new Recorder().listener);
    t.deepEqual(await container.ended, { status: 3, limits: [] });
  });

  test(about("all output comes before the end"), async (t) => {
    const { runtime, spec } = await open();
    const heard = new Recorder();
    await (await runtime.start(spec("big"), heard.listener)).ended;
    t.is(heard.output.length, 16 * 65_536);
  });

  test(about("the log is apart from the output"), async (t) => {
    const { runtime, spec } = await open();
    const heard = new Recorder();
    const container = await runtime.start(spec("logs"), heard.listener);
    container.closeInput();
    await container.ended;
    t.is(heard.output, "");
    t.is(heard.logged, "first\nsecond\n");
  });

  test(about("a program that fails ends with status 1 and says why in its log"), async (t) => {
    const { runtime, spec } = await open();
    const heard = new Recorder();
    const { status, startFailure } = await (await runtime.start(spec("throws"), heard.listener)).ended;
    t.is(status, 1);
    t.is(startFailure, undefined);
    t.regex(heard.logged, /broken on purpose/);
  });

  test(about("kill ends a program that does not listen, at once after start and later; twice is once"), async (t) => {
    const { runtime, spec } = await open();
    const container = await runtime.start(spec("silent"), new Recorder().listener);
    const ends = await Promise.all([container.kill(), container.kill(), container.ended]);
    t.is(new Set(ends.map(({ status }) => status)).size, 1);
    t.not(ends[0]?.status, 0);
    const heard = new Recorder();
    const warm = await runtime.start(spec("echo"), heard.listener);
    await warm.write("up\n");
    while (heard.output === "") await new Promise((wake) => setTimeout(wake, 5));
    t.is((await warm.kill()).status, 137);
  });

  test(about("writing to a program that has ended does no harm"), async (t) => {
    const { runtime, spec } = await open();
    const container = await runtime.start(spec("three"), new Recorder().listener);
    await container.ended;
    await t.notThrowsAsync(container.write("x".repeat(1024 * 1024)));
    t.notThrows(() => container.closeInput());
    t.is((await container.kill()).status, 3);
  });

  test(about("a program that is not there is an end that says so, not an exception"), async (t) => {
    const { runtime, spec } = await open();
    const container = await runtime.start({ ...spec("absent"), run: ["/app/absent"] }, new Recorder().listener);
    const { status, startFailure } = await container.ended;
    t.not(status, 0);
    t.regex(startFailure ?? "", /absent/);
  });

  test(about("two containers do not hear each other"), async (t) => {
    const { runtime, spec } = await open();
    const heard = [new Recorder(), new Recorder()];
    const containers = await Promise.all(heard.map(({ listener }) => runtime.start(spec("echo"), listener)));
    t.is(new Set(containers.map((container) => container.name)).size, 2);
    await Promise.all(containers.map((container, index) => container.write(`for ${index}\n`)));
    for (const container of containers) container.closeInput();
    await Promise.all(containers.map(({ ended }) => ended));
    t.deepEqual(
      heard.map(({ output }) => output),
      ["for 0\n", "for 1\n"],
    );
  });

  test(about("cleanup ends what runs and leaves nothing behind; twice is once"), async (t) => {
    const { runtime, spec, leftBehind } = await open();
    const container = await runtime.start(spec("silent"), new Recorder().listener);
    await runtime.cleanup();
    t.not((await container.ended).status, 0);
    t.deepEqual(leftBehind(), []);
    await runtime.cleanup();
  });

  test(about("an ended container leaves nothing behind"), async (t) => {
    const { runtime, spec, leftBehind } = await open();
    await (await runtime.start(spec("three"), new Recorder().listener)).ended;
    t.deepEqual(leftBehind(), []);
  });
}
