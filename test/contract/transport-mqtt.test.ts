/** The real client against the real broker, through a proxy that can break connections. */
import { connect, createServer, type Server, type Socket } from "node:net";
import test from "ava";
import { SeededRng, SystemClock, silentLog } from "../../lib/base/index.ts";
import { Broker, MqttTransport } from "../../lib/sync/index.ts";
import { transportContract } from "./transport.ts";

async function proxyTo(port: number): Promise<{ server: Server; sockets: Set<Socket>; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, sockets, port: typeof address === "object" && address !== null ? address.port : 0 };
}

transportContract(test, "mqtt", async () => {
  const broker = await Broker.start({ port: 0 });
  const transports = new Map<string, MqttTransport>();
  const proxies = new Map<string, Awaited<ReturnType<typeof proxyTo>>>();
  for (const name of ["a", "b", "n", "w"]) proxies.set(name, await proxyTo(broker.port));
  return {
    transport: (name, presenceTopic) => {
      const transport = new MqttTransport({
        url: `mqtt://127.0.0.1:${proxies.get(name)?.port}`,
        clientId: name,
        ...(presenceTopic === undefined ? {} : { presenceTopic }),
        clock: new SystemClock(),
        rng: new SeededRng(1),
        log: silentLog,
      });
      transports.set(name, transport);
      return transport;
    },
    cut: async (name) => {
      for (const socket of proxies.get(name)?.sockets ?? []) socket.destroy();
    },
    close: async () => {
      await Promise.all([...transports.values()].map((transport) => transport.close()));
      await broker.close();
      for (const { server, sockets } of proxies.values()) {
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    },
  };
});
