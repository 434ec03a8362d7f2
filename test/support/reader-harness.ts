/** A Wiegand reader on a fake clock, and what it hands over. */
import { FakeClock } from "../../lib/base/index.ts";
import { edgesOf, type ReaderFrame, WiegandReader } from "../../lib/device/index.ts";

export function readerHarness() {
  const clock = new FakeClock(1_000);
  const frames: ReaderFrame[] = [];
  const faults: unknown[] = [];
  const onFrame = async (frame: ReaderFrame): Promise<string> => {
    frames.push(frame);
    if (frame.bits === "111") throw new Error("the handler failed");
    return frame.bits;
  };
  const onFault = (cause: unknown): void => void faults.push(cause);
  const reader = new WiegandReader({ name: "front-door", clock, stopwatch: clock, onFrame, onFault });
  clock.advance(1_000);

  /** Sends a frame bit by bit, as time goes by; ends at its last edge. */
  const send = (bits: string, intervalMs: number): void => {
    for (const [index, [line]] of edgesOf(bits).entries()) {
      if (index > 0) clock.advance(intervalMs);
      reader.edge(line, clock.monoNs());
    }
  };
  return { clock, reader, frames, faults, send };
}
