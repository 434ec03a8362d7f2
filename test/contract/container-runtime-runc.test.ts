import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { silentLog } from "../../lib/base/index.ts";
import { RuncRuntime } from "../../lib/dapp/index.ts";
import {
  containersMissing,
  leftBehind,
  makeTestRootfs,
  programSpec,
  removeTestRootfs,
} from "../support/dapp-containers.ts";
import { containerRuntimeContract } from "./container-runtime.ts";

const missing = containersMissing();
const rootfs = missing === undefined ? makeTestRootfs() : "";
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const mark = `gdo-${process.pid.toString(36)}contract`;

containerRuntimeContract("runc", {
  missing,
  async open() {
    const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
    return { runtime, spec: (dapp) => programSpec(rootfs, dapp), leftBehind: () => leftBehind(mark, runDir) };
  },
});

test.after.always(() => {
  if (rootfs !== "") removeTestRootfs(rootfs);
  rmSync(runDir, { recursive: true, force: true });
});
