/** A command's way to its node: through the running agent, or by opening the home itself. */
import type { Log } from "../base/index.ts";
import { silentLog } from "../base/index.ts";
import { type Api, ControlClient } from "./control.ts";
import { openHome } from "./home/home.ts";
import { GdoNode } from "./node.ts";
import { nodeApi } from "./node-api.ts";

/** HOME_MISSING, HOME_LOCKED when another command uses the home at this moment, and what GdoNode.open throws. */
export async function openApi(root: string, log: Log = silentLog): Promise<Api> {
  const client = await ControlClient.connect(openHome(root).controlSocket);
  return client ?? nodeApi(await GdoNode.open(root, log));
}
