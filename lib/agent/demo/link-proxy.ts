/**
 * The cable between a door's agent and the broker: a TCP relay that can really be cut. While cut,
 * connections are destroyed and new ones refused as by a dead link.
 */
import { createConnection, createServer, type Server, type Socket } from "node:net";

export class LinkProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #targetPort: number;
  #isCut = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#relay(near));
  }

  /** Listens on a free port of this machine. */
  static async start(targetPort: number): Promise<LinkProxy> {
    const proxy = new LinkProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the link does not listen");
    return address.port;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** The broker came back on another port. */
  retarget(port: number): void {
    this.#targetPort = port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #relay(near: Socket): void {
    if (this.#isCut) return void near.destroy();
    const far = createConnection(this.#targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).pipe(other);
      socket.on("error", () => {}); // "close" follows and ends both.
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
