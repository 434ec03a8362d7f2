/** The files of packs that are held open. */
import { readdirSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { PackFiles } from "../../lib/store/pack/files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Files of a folder that this process has open. */
function openIn(dir: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(dir) ? [path] : [];
    } catch {
      return []; // The folder's own descriptor, closed meanwhile.
    }
  });
}

test("pack files: a pack stays open for the next reader, and once they are closed nothing does", async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, "00000001.pack");
  await writeFile(path, "12345");
  const files = new PackFiles(dir);
  t.is(await files.sizeBytes(1), 5);
  t.deepEqual(openIn(dir), [path]);
  await files.close();
  t.deepEqual(openIn(dir), []);
  t.is(await files.sizeBytes(1), 5);
  t.deepEqual(openIn(dir), []);
});
