/** A process that holds containers, to be killed: node dapp-agent.js ROOTFS RUNDIR MARK PROGRAM. Says "up" when one works. */
import { type Hash, SystemClock, silentLog } from "../../lib/base/index.ts";
import { DappHost, RuncRuntime } from "../../lib/dapp/index.ts";
import { emptyState, ProgramImages } from "./dapp-containers.ts";

const [rootfs = "", runDir = "", mark = "", program = ""] = process.argv.slice(2);
const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
const host = new DappHost({ runtime, images: new ProgramImages(rootfs), log: silentLog, clock: new SystemClock() });
const steady = await host.dapp("counts" as Hash);
await steady.query("it", null, emptyState);
// Asked but not awaited: it may never answer.
const dapp = await host.dapp(program as Hash);
const asked = dapp.query("it", null, emptyState).then(
  () => "answered",
  () => "failed",
);
if (program === "counts") await asked;
else await new Promise((wake) => setTimeout(wake, 300));
process.stdout.write("up\n");
