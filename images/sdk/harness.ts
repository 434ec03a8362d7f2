/**
 * A dapp in a unit test, without a container: its folder's manifest and schemas, the host's own checks,
 * and merges on a state in memory.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FakeClock, GdoError, type Hash, silentLog } from "../../lib/base/index.ts";
import { Contract, DappHost, FakeRuntime, parseManifest, Trial, type TrialOptions } from "../../lib/dapp/index.ts";
import { serve } from "./serve.ts";
import type { Dapp } from "./types.ts";

/** The schemas of a dapp's folder. DAPP_MANIFEST. */
export async function contractOf(folder: URL): Promise<Contract> {
  return Contract.load(parseManifest(await textIn(folder, "dapp.yaml")), (path) => textIn(folder, path));
}

function textIn(folder: URL, path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(path, folder)), "utf8").catch((cause) => {
    throw cause.code === "ENOENT" ? new GdoError("NOT_FOUND", `there is no ${path} in ${folder}`, { cause }) : cause;
  });
}

const NO_TREE = "0".repeat(64) as Hash;

export class Harness extends Trial {
  /** `folder` holds dapp.yaml and the schemas. */
  static async open<Commands>(dapp: Dapp<Commands>, folder: URL, options: TrialOptions = {}): Promise<Harness> {
    const text = (path: string): Promise<string> => textIn(folder, path);
    const images = {
      rootfs: async () => fileURLToPath(folder),
      manifestText: () => text("dapp.yaml"),
      text: (_tree: Hash, path: string) => text(path),
    };
    const { name } = parseManifest(await text("dapp.yaml"));
    const runtime = new FakeRuntime({ [name]: (streams) => serve(dapp, streams) });
    const host = new DappHost({ runtime, images, log: silentLog, clock: new FakeClock() });
    return new Harness(await host.dapp(NO_TREE), options);
  }
}
