/** A command's way to its node: through the running agent, or by opening the home itself. */
import type { Log } from "../base/index.ts";
import { silentLog } from "../base/index.ts";
import { type Api, ControlClient } from "./control.ts";
import { openHome } from "./home/home.ts";

/** HOME_MISSING, HOME_LOCKED when another command uses the home at this moment, and what GdoNode.open throws. */
export async function openApi(root: string, log: Log = silentLog): Promise<Api> {
  const client = await ControlClient.connect(openHome(root).controlSocket);
  if (client !== undefined) return client;
  const [{ GdoNode }, { nodeApi }] = await Promise.all([import("./node.ts"), import("./node-api.ts")]);
  return nodeApi(await GdoNode.open(root, log));
}
