/** `gdo door`: the door process of this home, until it is told to stop. Needs no agent and no network. */
import type { CommandSpec } from "../../command.ts";
import { untilStopped } from "../../stopping.ts";

export const door: CommandSpec = {
  name: "door",
  summary: "Run this home's door process: readers, decisions, strikes, its own log. Stops at SIGINT or SIGTERM.",
  options: [{ flags: "--with-parent", about: "stop also when standard input ends" }],
  exits: {
    3: "there is no home",
    4: "another door process uses this home",
    6: "the configuration has no door, or a wrong one",
    61: "a line cannot be used",
  },
  example: "gdo --home ./site door",
  async run(session, { options }) {
    const { homeRoot, openHome, pinoLog, readConfig, runDoor } = await import("../../../agent/index.ts");
    const root = homeRoot(session.homeFlag);
    const stopped = untilStopped({ withParent: options.withParent === true });
    const config = await readConfig(openHome(root).config);
    const running = await runDoor({ root, log: await pinoLog(`${config.name}-door`, config.log.level) });
    const doors = (config.door?.doors ?? []).map(({ id }) => id);
    const ready = { node: config.name, pid: process.pid, guardianPid: running.guardianPid, home: root, doors };
    session.out.emit("ready", ready, () => `${config.name} is ready, its doors: ${doors.join(", ")}`);
    await stopped;
    await running.close();
    return 0;
  },
};
