/** By which address somebody who is invited reaches a broker that listens here. Pure. */

/** As `os.networkInterfaces()` gives them, in the system's order. */
export type Interfaces = Readonly<
  Record<
    string,
    readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined
  >
>;

export interface Machine {
  readonly interfaces: Interfaces;
  readonly hostname: string;
}

export interface BrokerAddress {
  readonly url: string;
  /** What a person should know about it; undefined where it is what the configuration says. */
  readonly note?: string;
}

const EVERYWHERE = new Set(["0.0.0.0", "::", ""]);
/** Bridges to containers and virtual machines: addresses there lead nowhere else. */
const INSIDE = /^(?:docker|br-|veth|virbr|vmnet|cni|podman|lxc|lxd)/;
const LINK_LOCAL = /^(?:169\.254\.|fe80:)/i;

/** Of a broker that listens on `host`; on all addresses, the machine's first that others can reach, or its name. */
export function addressOfBroker(host: string, port: number, machine: Machine): BrokerAddress {
  if (!EVERYWHERE.has(host)) return addressOfUrl(`mqtt://${hostText(host)}:${port}`);
  const found = firstReachable(machine.interfaces);
  const name = machine.hostname.includes(".") ? machine.hostname : `${machine.hostname}.local`;
  const url = `mqtt://${hostText(found ?? name)}:${port}`;
  const what = found === undefined ? "this machine's name" : "this machine's address";
  return {
    url,
    note: `${what} in its network; where the device reaches it by another: --broker mqtt://ADDRESS:${port}`,
  };
}

/** Of a broker that the configuration names: said when only this machine can mean it. */
export function addressOfUrl(url: string): BrokerAddress {
  const hostname = URL.canParse(url) ? new URL(url).hostname : "";
  if (hostname !== "localhost" && hostname !== "[::1]" && !hostname.startsWith("127.")) return { url };
  return {
    url,
    note: "only this machine reaches that; for other machines let the broker listen on 0.0.0.0 (config.yaml, embeddedBroker.host), or name one with --broker",
  };
}

function firstReachable(interfaces: Interfaces): string | undefined {
  const all = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
      .map(({ address, family }) => ({ address, rank: (INSIDE.test(name) ? 2 : 0) + (family === "IPv4" ? 0 : 1) })),
  );
  return all.toSorted((x, y) => x.rank - y.rank)[0]?.address;
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
