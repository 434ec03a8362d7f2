/**
 * What every base image has: mount points, files that devices are bound to, the few files that programs
 * expect in /etc, and Debian's merged layout, /bin and its like being links into /usr: so that packages,
 * built for that layout, fit over any base.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Mount points, and files that devices are bound to. */
const FOLDERS = ["proc", "dev", "tmp", "scratch", "app", "etc"];
const DEVICES = ["null", "zero", "random", "urandom"];
const MERGED = ["bin", "sbin", "lib", "lib64"];

const ETC: Readonly<Record<string, string>> = {
  passwd: "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/scratch:/sbin/nologin\n",
  group: "root:x:0:\nnogroup:x:65534:\n",
  hosts: "127.0.0.1 localhost gdo\n::1 localhost gdo\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/** Writes the base image `empty` into a new folder: no program at all. */
export function makeSkeleton(folder: string): void {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  for (const name of DEVICES) writeFileSync(join(folder, "dev", name), "");
  for (const [name, text] of Object.entries(ETC)) writeFileSync(join(folder, "etc", name), text);
  for (const name of MERGED) {
    mkdirSync(join(folder, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(folder, name));
  }
}
