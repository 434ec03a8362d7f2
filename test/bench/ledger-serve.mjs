/** Child of ledger.mjs: runs an agent on a home that is there; says how it is as JSON, and ends with its parent's word. */
import { readFileSync } from "node:fs";
import { runAgent } from "../../dist/lib/agent/index.js";
import { silentLog } from "../../dist/lib/base/index.js";

const agent = await runAgent({ root: process.argv[2], log: silentLog });
const { entries } = await agent.api.call("status", {});
const residentBytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
process.send({ entries, residentBytes });
process.once("message", async () => {
  await agent.close();
  process.exit(0);
});
