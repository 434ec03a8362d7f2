/** What a root file system needs beyond names and contents, and what reading it meets on the way. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { checkout, MemoryStore, PackStore, putTree } from "../../lib/store/index.ts";
import { displayPath } from "../../lib/store/tree/name.ts";
import { describeFolder, describeXattrs } from "../support/folder-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asRoot = process.getuid?.() === 0 ? test : test.skip;

function sh(cwd: string, script: string): string {
  return execFileSync("/bin/sh", ["-euc", script], { cwd, encoding: "utf8" });
}

/** What rsync, which knows nothing of gdo, would have to mend in `out` to make it equal `in`. */
function difference(base: string): string {
  return sh(base, "rsync -aAXHn --numeric-ids --delete --checksum --itemize-changes in/ out/");
}

async function roundTrip(base: string): Promise<string[]> {
  const skipped: string[] = [];
  const onSkipped = (path: string, why: string): void => void skipped.push(`${path.slice(base.length)}: ${why}`);
  const store = new MemoryStore();
  await checkout(store, await putTree(store, join(base, "in"), { onSkipped }), join(base, "out"), { onSkipped });
  return skipped;
}

asRoot("[T4] ACLs, capabilities and other extended attributes come back, of folders and links too", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    `mkdir -p in/folder; echo x >in/program; echo y >in/shared; ln -s nowhere in/link
    setcap cap_net_raw,cap_net_bind_service+ep in/program; chmod 4711 in/program; chown 7:8 in/shared
    setfacl -m u:1234:rw,g:55:r in/shared; setfacl -d -m u:99:rwx in/folder; setfacl -m g:7:x in/folder
    setfattr -n user.note -v 'a value' in/shared; setfattr -n user.empty in/folder
    setfattr -h -n trusted.mark -v 0x00ff in/link; chown -h 5:6 in/link; chmod 0400 in/shared`,
  );
  // What a restored file would inherit from here must not stay on it.
  sh(base, "mkdir out; setfacl -d -m u:4321:rwx out");
  t.deepEqual(await roundTrip(base), []);
  t.is(describeXattrs(join(base, "out")), describeXattrs(join(base, "in")));
  t.is(difference(base), "");
  t.regex(sh(base, "getcap out/program"), /cap_net_bind_service,cap_net_raw=ep/);
});

asRoot("[T4] links to links, devices and pipes come back as one, with owners and times", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    `mkdir -p in/a in/b; ln -s target in/a/link; ln in/a/link in/b/link; mkfifo in/a/pipe; ln in/a/pipe in/pipe
    mknod in/a/null c 1 3; ln in/a/null in/b/zero; echo x >in/a/file; ln in/a/file in/b/file
    chown -h 12:34 in/a/link; touch -h -d @1000000000.123456789 in/a/link in/a/pipe in/a/null in/a`,
  );
  t.deepEqual(await roundTrip(base), []);
  t.is(difference(base), "");
  for (const [one, other] of [
    ["a/link", "b/link"],
    ["a/pipe", "pipe"],
    ["a/null", "b/zero"],
    ["a/file", "b/file"],
  ]) {
    t.is(lstatSync(join(base, "out", one!)).ino, lstatSync(join(base, "out", other!)).ino, one);
  }
});

test("[T4] names that are not UTF-8 come back, and are shown with their bytes", async (t) => {
  const base = await temporaryFolder(t);
  const name = Buffer.from([0x66, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xac, 0x0a]);
  mkdirSync(join(base, "in"));
  writeFileSync(Buffer.concat([Buffer.from(join(base, "in/")), name]), "odd");
  t.deepEqual(await roundTrip(base), []);
  t.deepEqual(readdirSync(Buffer.from(join(base, "out")), { encoding: "buffer" }), [name]);
  t.is(displayPath(name), "f\\xff\\xc3(€\n");
});

test("[T4] a path of far more than 4096 bytes is read and written like any other", async (t) => {
  const base = await temporaryFolder(t);
  const name = "n".repeat(200);
  sh(
    base,
    `mkdir in; cd in; for i in $(seq 40); do mkdir ${name}; cd -P ${name}; done; echo deep >file; ln file other`,
  );
  t.teardown(() => execFileSync("rm", ["-rf", join(base, "in"), join(base, "out")]));
  t.deepEqual(await roundTrip(base), []);
  const deep = `cd out; for i in $(seq 40); do cd -P ${name}; done; cat file; stat -c %h other`;
  t.is(sh(base, deep), "deep\n2\n");
});

test("[T4] zero pages and holes become holes, and cost no data", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    `mkdir in; truncate -s 40M in/sparse; printf data | dd of=in/sparse bs=1 seek=5000000 conv=notrunc status=none
    { head -c 5000 /dev/urandom; head -c 20000 /dev/zero; head -c 777 /dev/urandom; } >in/pages`,
  );
  t.deepEqual(await roundTrip(base), []);
  t.is(sh(base, "cmp in/sparse out/sparse; cmp in/pages out/pages"), "");
  t.true(statSync(join(base, "out/sparse")).blocks * 512 <= 128 * 1024);
  t.true(statSync(join(base, "out/pages")).blocks * 512 <= 12 * 1024, `${statSync(join(base, "out/pages")).blocks}`);
});

/** Mounts `from` on `to` until the test ends; false where that is not allowed. */
function bind(t: ExecutionContext, from: string, to: string): boolean {
  try {
    execFileSync("mount", ["--bind", from, to], { stdio: "ignore" });
  } catch {
    t.log("this machine does not allow mounts");
    return false;
  }
  t.teardown(() => void execFileSync("umount", ["-l", to]));
  return true;
}

asRoot("[T4] a folder that is mounted below itself is kept empty and told, not gone round in", async (t) => {
  const base = await temporaryFolder(t);
  sh(base, "mkdir -p in/inner/loop; echo x >in/inner/file");
  if (!bind(t, join(base, "in"), join(base, "in/inner/loop"))) return void t.pass();
  const skipped = await roundTrip(base);
  t.deepEqual(skipped, ["/in/inner/loop: a folder above it is mounted here: a loop"]);
  t.deepEqual(readdirSync(join(base, "out/inner")), ["file", "loop"]);
  t.deepEqual(readdirSync(join(base, "out/inner/loop")), []);
});

asRoot("[T4] a plain user restores his own attributes and gets a list of those that need root", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    `mkdir in; echo x >in/mine; setfattr -n user.note -v kept in/mine; chmod 0400 in/mine; mkdir in/closed; chmod 0555 in/closed
    echo y >in/program; setcap cap_net_raw+ep in/program; mkdir home; chown 65534:65534 home; chmod 755 .
    mknod in/null c 1 3`,
  );
  const store = await PackStore.open(join(base, "packs"));
  const id = await putTree(store, join(base, "in"));
  await store.close();
  const script = fileURLToPath(new URL("../support/plain-checkout.js", import.meta.url));
  const args = [script, join(base, "packs"), id, join(base, "home/out"), "65534"];
  const lines = execFileSync(process.execPath, args, { encoding: "utf8" }).split("\n");
  t.deepEqual(
    lines.filter((line) => !line.includes("owner 0:0 needs root")),
    [
      "/null: a device node needs root",
      "/program: extended attribute security.capability: EPERM: operation not permitted",
      "",
    ],
  );
  t.true(lines.includes("/mine: owner 0:0 needs root"));
  t.is(sh(base, "getfattr --only-values -n user.note home/out/mine"), "kept");
  t.is(statSync(join(base, "home/out/mine")).mode & 0o777, 0o400);
  t.is(statSync(join(base, "home/out/closed")).mode & 0o777, 0o555);
});

asRoot("[T4] a link that takes a folder's place during a restore is not written through", async (t) => {
  const base = await temporaryFolder(t);
  sh(base, "mkdir -p in/sub victim; for i in $(seq 30); do echo x >in/sub/$i; done; chmod 4755 in/sub/30");
  const store = new MemoryStore();
  const id = await putTree(store, join(base, "in"));
  let isSwapped = false;
  const onFile = (): void => {
    if (isSwapped) return;
    isSwapped = true;
    sh(base, "mv out/sub out/moved; ln -s ../victim out/sub");
  };
  await checkout(store, id, join(base, "out"), { onFile });
  t.deepEqual(readdirSync(join(base, "victim")), []);
  t.is(readdirSync(join(base, "out/moved")).length, 30);
});

test("[T4] only what is asked for is restored, with the folders that lead there", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    "mkdir -p in/a/b in/c in/ab; echo 1 >in/a/b/one; echo 2 >in/a/two; echo 3 >in/c/three; echo 4 >in/ab/four; chmod 700 in/a",
  );
  const store = new MemoryStore();
  const id = await putTree(store, join(base, "in"));
  await checkout(store, id, join(base, "out"), { include: ["a/b", "/c/three"] });
  t.is(sh(base, "cd out; find . -type f | sort"), "./a/b/one\n./c/three\n");
  t.is(statSync(join(base, "out/a")).mode & 0o777, 0o700);
  await t.throwsAsync(checkout(store, id, join(base, "no"), { include: ["a/nothing"] }), { code: "NOT_FOUND" });
  t.false(readdirSync(base).includes("no"));
});

asRoot("[T4] overwriting replaces files and what they carried, and keeps what else is there", async (t) => {
  const base = await temporaryFolder(t);
  sh(
    base,
    "mkdir -p in/sub; echo new >in/sub/file; mkdir -p out/sub; echo old >out/sub/file; echo other >out/sub/kept",
  );
  sh(base, "setfattr -n user.stale -v x out/sub/file; setfattr -n user.stale -v x out/sub; ln out/sub/file elsewhere");
  const store = new MemoryStore();
  await checkout(store, await putTree(store, join(base, "in")), join(base, "out"), { overwrite: true });
  t.is(readFileSync(join(base, "out/sub/file"), "utf8"), "new\n");
  t.is(readFileSync(join(base, "elsewhere"), "utf8"), "old\n"); // Another name of what was replaced.
  t.is(readFileSync(join(base, "out/sub/kept"), "utf8"), "other\n");
  sh(base, "rm out/sub/kept; touch -r in/sub out/sub");
  t.is(describeXattrs(join(base, "out")), "");
  t.deepEqual(describeFolder(Buffer.from(join(base, "out"))), describeFolder(Buffer.from(join(base, "in"))));
  chownSync(join(base, "out"), 0, 0);
  chmodSync(join(base, "out"), 0o755);
});
