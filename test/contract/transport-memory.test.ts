import test from "ava";
import { SeededRng, SystemClock } from "../../lib/base/index.ts";
import { MemoryBroker, MemoryTransport } from "../../lib/sync/index.ts";
import { transportContract } from "./transport.ts";

transportContract(test, "memory", async () => {
  const clock = new SystemClock();
  const broker = new MemoryBroker(clock, new SeededRng(1));
  const transports = new Map<string, MemoryTransport>();
  return {
    transport: (name, presenceTopic) => {
      const transport = new MemoryTransport(broker, clock, {
        name,
        ...(presenceTopic === undefined ? {} : { presenceTopic }),
      });
      transports.set(name, transport);
      return transport;
    },
    cut: async (name) => {
      transports.get(name)?.cut();
      transports.get(name)?.reconnect();
    },
    close: async () => {
      await Promise.all([...transports.values()].map((transport) => transport.close()));
    },
  };
});
