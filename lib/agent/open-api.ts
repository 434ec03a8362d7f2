/** A command's way to its node: through the running agent, or by opening the home itself. */
import { GdoError, type Log, silentLog } from "../base/index.ts";
import { type Api, ControlClient } from "./control.ts";
import { openHome } from "./home/home.ts";

/** The running agent. HOME_MISSING, AGENT_UNREACHABLE. */
export async function agentApi(root: string): Promise<Api> {
  const client = await ControlClient.connect(openHome(root).controlSocket);
  if (client !== undefined) return client;
  throw new GdoError("AGENT_UNREACHABLE", "no agent runs on this home, so nothing comes", { hint: "gdo agent" });
}

/** HOME_MISSING, HOME_LOCKED when another command uses the home at this moment, and what GdoNode.open throws. */
export async function openApi(root: string, log: Log = silentLog): Promise<Api> {
  const client = await ControlClient.connect(openHome(root).controlSocket);
  if (client !== undefined) return client;
  const [{ GdoNode }, { nodeApi }] = await Promise.all([import("./node.ts"), import("./node-api.ts")]);
  return nodeApi(await GdoNode.open(root, log));
}
