/**
 * bin/setup, run for real in a scratch copy whose `apt-get`, `dpkg-query`, `npm`, `sudo` and `id` are
 * small scripts that write down what they were asked: what it would install, and when it does nothing.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test, { type ExecutionContext } from "ava";

const RUN_PACKAGES = ["g++", "cmake", "make", "python3", "libsodium-dev", "libzstd-dev", "runc"];
const TEST_PACKAGES = [
  "clang",
  "clang-format",
  "clang-tidy",
  "shellcheck",
  "b3sum",
  "casync",
  "acl",
  "attr",
  "git",
  "libcap2-bin",
  "rsync",
  "spin",
  "g++-aarch64-linux-gnu",
  "g++-arm-linux-gnueabihf",
  "qemu-user-static",
  "busybox-static",
  "jq",
  "ledger",
  "buildah",
  "skopeo",
  "umoci",
  "xz-utils",
  "bzip2",
];
const EVERYTHING = [...RUN_PACKAGES, ...TEST_PACKAGES, "libnode-dev"];

const PROGRAMS: Readonly<Record<string, string>> = {
  "dpkg-query": 'for last; do :; done; case " $INSTALLED " in *" $last "*) printf installed ;; *) exit 1 ;; esac',
  "apt-get": 'echo "apt-get $*" >>calls',
  id: 'echo "$FAKE_UID"',
  sudo: "exit 1",
  npm: `echo "npm $*" >>calls
case "$1" in
  ci)
    mkdir -p node_modules/better-sqlite3
    echo 'module.exports = class { close() {} };' >node_modules/better-sqlite3/index.js
    ;;
  run)
    mkdir -p dist/lib/cli
    : >dist/lib/cli/main.js
    ;;
  pack) cp package.tgz "$4/" ;;
esac`,
};

interface Run {
  readonly status: number | null;
  readonly said: string;
  /** What was asked of the programs since the last run. */
  readonly calls: string[];
}

interface Machine {
  readonly root: string;
  setup(options?: { args?: string[]; installed?: string[]; uid?: number }): Promise<Run>;
}

async function machine(t: ExecutionContext): Promise<Machine> {
  const root = await mkdtemp(join(tmpdir(), "gdo-setup-"));
  t.teardown(() => rm(root, { recursive: true }));
  for (const folder of ["bin", "programs", "lib", "native", "images", "test/support"])
    await mkdir(join(root, folder), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "tsconfig.json", "CMakeLists.txt", "binding.gyp"]) {
    await copyFile(file, join(root, file));
  }
  await copyFile("bin/setup", join(root, "bin/setup"));
  await pinOtherNode(root);
  for (const [name, body] of Object.entries(PROGRAMS)) {
    await writeFile(join(root, "programs", name), `#!/bin/sh\n${body}\n`);
    await chmod(join(root, "programs", name), 0o755);
  }
  return {
    root,
    setup: ({ args = [], installed = EVERYTHING, uid = 0 } = {}) =>
      run(root, args, { INSTALLED: installed.join(" "), FAKE_UID: String(uid) }),
  };
}

/** What npm gives as the other version of Node.js, and its sum where setup looks for it. */
async function pinOtherNode(root: string): Promise<void> {
  await mkdir(join(root, "package/bin"), { recursive: true });
  await writeFile(join(root, "package/bin/node"), "another");
  execFileSync("tar", ["-czf", join(root, "package.tgz"), "-C", root, "package"]);
  const sum = createHash("sha512")
    .update(await readFile(join(root, "package.tgz")))
    .digest("base64");
  const pins = [20, 24].map((major) => `${major} ${process.arch} other-node@${major}.0.0 sha512-${sum}\n`);
  await writeFile(join(root, "test/support/other-node.txt"), pins.join(""));
}

async function run(root: string, args: string[], environment: NodeJS.ProcessEnv): Promise<Run> {
  await writeFile(join(root, "calls"), "");
  const PATH = [join(root, "programs"), process.env.PATH].join(delimiter);
  const child = spawn("bin/setup", args, { cwd: root, env: { ...process.env, ...environment, PATH }, stdio: "pipe" });
  child.stdin.end();
  let said = "";
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const calls = (await readFile(join(root, "calls"), "utf8")).split("\n").filter((line) => line !== "");
  return { status, said, calls };
}

test("setup: a fresh clone gets npm's packages and a build, a second run does and says nothing", async (t) => {
  const { setup } = await machine(t);
  const first = await setup();
  t.is(first.status, 0, first.said);
  t.deepEqual(
    first.calls.map((call) => call.split(" --")[0]),
    ["npm ci", "npm run"],
  );
  t.deepEqual(await setup(), { status: 0, said: "", calls: [] });
});

test("setup: root gets what is missing installed, and nothing else", async (t) => {
  const { setup } = await machine(t);
  const { status, calls } = await setup({ installed: EVERYTHING.filter((name) => !["runc", "cmake"].includes(name)) });
  t.is(status, 0);
  t.is(calls[0], "apt-get update -qq");
  t.regex(calls[1] ?? "", /^apt-get install .*--no-install-recommends cmake runc$/);
});

test("setup: --test wants the checks' programs too", async (t) => {
  const { setup } = await machine(t);
  const { calls } = await setup({ args: ["--test"], installed: [...RUN_PACKAGES, "libnode-dev"] });
  t.true(calls[1]?.endsWith(` ${TEST_PACKAGES.join(" ")}`), calls[1]);
});

test("setup: who is not root is told the exact command, and nothing is touched", async (t) => {
  const { setup } = await machine(t);
  const { status, said, calls } = await setup({ installed: EVERYTHING.filter((name) => name !== "runc"), uid: 1000 });
  t.is(status, 1);
  t.regex(said, /hint: .*apt-get install .*runc\n$/);
  t.deepEqual(calls, []);
});

test("setup: who is not root needs no root when all is there", async (t) => {
  const { setup } = await machine(t);
  t.is((await setup({ uid: 1000 })).status, 0);
});

test("setup: a changed lock means npm ci and a build, a changed source only a build", async (t) => {
  const { root, setup } = await machine(t);
  await setup();
  const lock = join(root, "package-lock.json");
  await writeFile(lock, (await readFile(lock, "utf8")).replace('"version": "0', '"version": "1'));
  t.deepEqual(
    (await setup()).calls.map((call) => call.split(" --")[0]),
    ["npm ci", "npm run"],
  );
  await writeFile(join(root, "lib/a.ts"), "");
  const future = Date.now() / 1000 + 60; // File times may be too coarse to tell "now" from the build.
  await utimes(join(root, "lib/a.ts"), future, future);
  t.deepEqual(
    (await setup()).calls.map((call) => call.split(" --")[0]),
    ["npm run"],
  );
});

test("setup: a failed step leaves no mark that it was done", async (t) => {
  const { root, setup } = await machine(t);
  await writeFile(join(root, "programs/npm"), "#!/bin/sh\nexit 1\n");
  const { status, said } = await setup();
  t.is(status, 1);
  t.regex(said, /npm ci failed/);
  await t.throwsAsync(readFile(join(root, "node_modules/.gdo-setup")));
});

test("setup: --test fetches another version of Node.js, once, and says so", async (t) => {
  const { root, setup } = await machine(t);
  const first = await setup({ args: ["--test"] });
  t.is(first.status, 0, first.said);
  t.regex(first.said, /fetching other-node@2[04]\.0\.0/);
  t.is(await readFile(join(root, "build/other-node/node"), "utf8"), "another");
  t.deepEqual(await setup({ args: ["--test"] }), { status: 0, said: "", calls: [] });
});

test("setup: another version of Node.js that is not the one pinned is not taken, with one line", async (t) => {
  const { root, setup } = await machine(t);
  await writeFile(join(root, "package.tgz"), "something else");
  const { status, said } = await setup({ args: ["--test"] });
  t.is(status, 0);
  t.regex(said, /other-node@2[04]\.0\.0 could not be fetched, or is not what test\/support\/other-node\.txt says/);
  await t.throwsAsync(readFile(join(root, "build/other-node/node")));
});
