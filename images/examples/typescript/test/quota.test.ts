/** Unit tests, without a container: the host's own checks and the dapp's functions, in memory. */
import assert from "node:assert/strict";
import test from "node:test";
import { Harness } from "gdo/testing";
import { quota } from "../src/quota.ts";

test("no more than the limit", async () => {
  const dapp = await Harness.open(quota, new URL("../", import.meta.url));
  const { voids } = await dapp.merge([
    { by: "ada", acts: [["use", { amount: 60 }]] },
    { by: "ada", acts: [["use", { amount: 60 }]] },
  ]);
  assert.deepEqual(voids, { 2: "use: ada has used 60 of 100" });
  assert.deepEqual(await dapp.query("used", "ada"), { used: 60, limit: 100 });
});

test("a limit below what is used does not pass the merge test", async () => {
  const dapp = await Harness.open(quota, new URL("../", import.meta.url));
  await dapp.merge([{ by: "ada", acts: [["use", { amount: 5 }]] }]);
  const { voids } = await dapp.merge([
    { by: "office", rights: ["quota"], acts: [["limit", { member: "ada", max: 4 }]] },
  ]);
  assert.deepEqual(voids, { 1: "test failed: ada has used 5 of 4" });
});

test("a command becomes acts, or is refused", async () => {
  const dapp = await Harness.open(quota, new URL("../", import.meta.url));
  assert.deepEqual(await dapp.command("use", { amount: 2 }, { by: "ada" }), [["use", { amount: 2 }]]);
  await assert.rejects(dapp.command("use", { amount: 101 }, { by: "ada" }), /you have used 0 of 100/);
  await assert.rejects(dapp.command("use", { amount: 0 }, { by: "ada" }), /amount must be at least 1/);
});
