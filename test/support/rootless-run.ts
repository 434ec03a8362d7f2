/** Runs one program in a container as whoever starts it: node rootless-run.js ROOTFS RUNDIR SECRET. Prints one JSON object. */
import { silentLog } from "../../lib/base/index.ts";
import { RuncRuntime } from "../../lib/dapp/index.ts";
import { programSpec } from "./dapp-containers.ts";

const [rootfs = "", runDir = "", secret = ""] = process.argv.slice(2);
const runtime = new RuncRuntime({ runDir, mark: "gdo-rootless", log: silentLog });
let output = "";
const listener = {
  output: (bytes: Uint8Array): void => {
    output += Buffer.from(bytes).toString();
  },
  log: (): void => {},
};
const container = await runtime.start(programSpec(rootfs, "echo"), listener);
await container.write("hello\n");
container.closeInput();
const end = await container.ended;
const probe = await runtime.start(
  { ...programSpec(rootfs, "probe"), run: ["node", "/app/probe.mjs", secret] },
  listener,
);
const { status } = await probe.ended;
await runtime.cleanup();
const facts = JSON.parse(output.slice(output.indexOf("\n") + 1)) as Record<string, unknown>;
process.stdout.write(JSON.stringify({ info: await runtime.info(), end, status, facts }));
