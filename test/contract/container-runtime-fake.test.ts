import { pathToFileURL } from "node:url";
import { FakeRuntime, type Program } from "../../lib/dapp/index.ts";
import { testLimits } from "../support/dapp-containers.ts";
import { containerRuntimeContract } from "./container-runtime.ts";

const { programs } = (await import(pathToFileURL("test/fixtures/dapps/programs.mjs").href)) as {
  programs: Record<string, Program>;
};

containerRuntimeContract("fake", {
  async open() {
    const runtime = new FakeRuntime(programs);
    return {
      runtime,
      spec: (dapp) => ({ dapp, rootfs: "/none", run: ["node", dapp], limits: testLimits }),
      leftBehind: () => (runtime.runningCount === 0 ? [] : [`${runtime.runningCount} programs`]),
    };
  },
});
