import { readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { Refs } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const COUNT = 40;

test("[T8] writes at once, into folders that are not there yet, are all kept", async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const folder = join(await temporaryFolder(t), "refs");
    const refs = [new Refs(folder), new Refs(folder)];
    const names = Array.from({ length: COUNT }, (_, index) => `${index}`);
    await Promise.all(
      names.map((name, index) => refs[index % 2]?.write(["kept", `${index % 4}`], name, Buffer.from(name))),
    );
    for (const [index, name] of names.entries())
      t.is(Buffer.from((await refs[0]?.read("kept", `${index % 4}`, name)) ?? []).toString(), name);
    t.is(readdirSync(join(folder, "kept", "0")).length, COUNT / 4);
  }
});

test("a write that fails does not hold up the next of its folder", async (t) => {
  const refs = new Refs(await temporaryFolder(t));
  const results = await Promise.allSettled([
    refs.write(["kept"], "no/such", Buffer.from("x")),
    refs.write(["kept"], "there", Buffer.from("y")),
  ]);
  t.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
  t.deepEqual(await refs.list("kept"), ["there"]);
});
