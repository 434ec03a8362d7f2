import test from "ava";
import { FakeClock, SeededRng } from "../../lib/base/index.ts";
import { MemoryBroker, MemoryTransport } from "../../lib/sync/index.ts";

function setup(): {
  clock: FakeClock;
  broker: MemoryBroker;
  heard: string[];
  client: (name: string) => MemoryTransport;
} {
  const clock = new FakeClock();
  const broker = new MemoryBroker(clock, new SeededRng(1));
  const heard: string[] = [];
  const client = (name: string): MemoryTransport => {
    const transport = new MemoryTransport(broker, clock, { name });
    transport.start({
      connected: () => transport.subscribe(["t/+"]),
      disconnected: () => {},
      message: (topic, bytes) => heard.push(`${name} ${topic} ${bytes[0]}`),
    });
    return transport;
  };
  return { clock, broker, heard, client };
}

test("MemoryBroker: who is deaf to another still reaches them", (t) => {
  const { clock, broker, heard, client } = setup();
  const [a, b] = [client("a"), client("b")];
  clock.advance(1);
  broker.isDeaf = (from, to) => from === "a" && to === "b";
  a?.publish("t/x", Uint8Array.of(1), false);
  b?.publish("t/x", Uint8Array.of(2), false);
  clock.advance(1);
  t.deepEqual(heard.sort(), ["a t/x 1", "a t/x 2", "b t/x 2"]);
});

test("MemoryBroker: beyond a client's queue what comes is dropped and counted", (t) => {
  const { clock, broker, heard, client } = setup();
  const a = client("a");
  clock.advance(1);
  broker.faults = { loss: 0, duplication: 0, delayMsMin: 10, delayMsMax: 10, queueMax: 3 };
  for (let each = 0; each < 5; each += 1) a.publish("t/x", Uint8Array.of(each), false);
  clock.advance(20);
  t.deepEqual(heard, ["a t/x 0", "a t/x 1", "a t/x 2"]);
  t.is(broker.overflowed, 2);
  a.publish("t/x", Uint8Array.of(9), false);
  clock.advance(20);
  t.is(heard.at(-1), "a t/x 9");
});
