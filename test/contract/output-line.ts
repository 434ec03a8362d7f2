/** What every output line keeps, real or not. Each implementation's test file is one call of it. */
import test, { type ExecutionContext } from "ava";
import type { OutputLine } from "../../lib/device/index.ts";

export interface LineUnderTest {
  readonly line: OutputLine;
  /** The levels that have reached the wire, in order, once all that was written has. */
  levels(): Promise<readonly boolean[]>;
  end(): Promise<void>;
}

export function outputLineContract(name: string, open: () => Promise<LineUnderTest>): void {
  const withLine = (title: string, body: (under: LineUnderTest, t: ExecutionContext) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => {
      const under = await open();
      t.teardown(() => under.end());
      await body(under, t);
    });
  };

  withLine("writes apply in call order, awaited or not", async ({ line, levels }, t) => {
    await Promise.all([line.write(true), line.write(false), line.write(true)]);
    await line.write(false);
    t.deepEqual(await levels(), [true, false, true, false]);
  });

  withLine("[A4] close leaves the line low", async ({ line, levels }, t) => {
    await line.write(true);
    await line.close();
    t.deepEqual(await levels(), [true, false]);
  });

  withLine("close never rejects, not even twice", async ({ line }, t) => {
    await line.close();
    await t.notThrowsAsync(line.close());
  });

  withLine("[A4] a write after close is refused", async ({ line, levels }, t) => {
    await line.close();
    await t.throwsAsync(line.write(true), { code: "LINE_INVALID" });
    t.false((await levels()).includes(true));
  });
}
