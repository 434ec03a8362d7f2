/** `gdo agent`: this home's node, until it is told to stop. */
import type { AgentEvent } from "../../../agent/index.ts";
import type { CommandSpec, Session } from "../../command.ts";
import { untilStopped } from "../../stopping.ts";

/** Programs that read along get what happens as objects; that it is ready is said below, with more. */
function tell(session: Session, { type, ...fields }: AgentEvent): void {
  if (type !== "ready") session.out.emit(type, fields, () => "");
}

export const agent: CommandSpec = {
  name: "agent",
  summary: "Run this home's node: peers, merges, dapps, the door's link. Stops at SIGINT or SIGTERM.",
  options: [{ flags: "--with-parent", about: "stop also when standard input ends" }],
  exits: {
    3: "there is no home",
    4: "another process uses this home",
    6: "the configuration is wrong",
    51: "the broker's port is taken",
  },
  example: "gdo --home ./site agent",
  async run(session, { options }) {
    const { homeRoot, openHome, pinoLog, readConfig, runAgent } = await import("../../../agent/index.ts");
    const root = homeRoot(session.homeFlag);
    const stopped = untilStopped({ withParent: options.withParent === true });
    const config = await readConfig(openHome(root).config);
    const log = await pinoLog(config.name, config.log.level);
    const running = await runAgent({ root, log, onEvent: (event) => tell(session, event) });
    const port = running.brokerPort;
    const ready = {
      node: config.name,
      pid: process.pid,
      home: root,
      ...(port === undefined ? {} : { brokerPort: port }),
    };
    session.out.emit(
      "ready",
      ready,
      () => `${config.name} is ready${port === undefined ? "" : `, its broker on port ${port}`}`,
    );
    await Promise.race([stopped, running.stopped]);
    await running.close();
    return 0;
  },
};
