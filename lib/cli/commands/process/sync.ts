/** `gdo sync`: wait until this node and its peers hold the same. */
import { type CommandSpec, withApi } from "../../command.ts";
import { wholeNumber } from "../../values.ts";

interface Synced {
  readonly converged: boolean;
  readonly peers: number;
  readonly received: number;
  readonly sent: number;
}

export const sync: CommandSpec = {
  name: "sync",
  summary: "Exchange blocks with the peers now and wait until both sides hold the same.",
  options: [
    {
      flags: "--timeout <seconds>",
      about: "give up after so long",
      parse: wholeNumber("--timeout", 1, 86_400),
      default: 30,
    },
  ],
  exits: {
    1: "not everything could be exchanged in time",
    3: "there is no home",
    51: "no broker or no peer was reached",
  },
  example: "gdo sync --timeout 60",
  async run(session, { options }) {
    const timeoutMs = (options.timeout as number) * 1000;
    const synced = (await withApi(session, (api) => api.call("sync", { timeoutMs }))) as Synced;
    const counts = `${synced.peers} peers, ${synced.received} blocks received, ${synced.sent} sent`;
    session.out.emit("sync", { ...synced }, () => `${synced.converged ? "in step" : "not yet in step"}: ${counts}`);
    return synced.converged ? 0 : 1;
  },
};
