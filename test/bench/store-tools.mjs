/**
 * gdo and its peers, each by the same steps. A step gives a command line; `state` is a folder of the tool's
 * own, `index` counts versions from 1. Peers run with zstd 3 where they let one choose, else as they come.
 * A slow tool runs in the first round only.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { firstLine } from "./store-run.mjs";

/** Node.js with the flags that the launcher gives it. */
const [FIRST_LINE] = readFileSync(new URL("../../bin/gdo", import.meta.url), "utf8").split("\n");
const GDO = [process.execPath, ...FIRST_LINE.match(/--\S+/g), new URL("store-gdo.mjs", import.meta.url).pathname];
const shell = (script, ...args) => ["sh", "-euc", script, "sh", ...args];

/** Encryption is off where that can be asked for; restic always encrypts. */
export const TOOLS = [
  {
    name: "gdo",
    version: () => `Node.js ${process.version}`,
    put: (state, { file }, index) => {
      const ids = index === 1 ? [1] : [index, index - 1];
      return [...GDO, "put", join(state, "packs"), file, ...ids.map((id) => join(state, `${id}.id`))];
    },
    restore: (state, index, to) => [...GDO, "restore", join(state, "packs"), join(state, `${index}.id`), to],
  },
  {
    name: "casync",
    version: () => firstLine("casync", "--version"),
    put: (state, { file }, index) => [
      "casync",
      "make",
      `--store=${state}/store.castr`,
      `${state}/${index}.caibx`,
      file,
    ],
    restore: (state, index, to) => ["casync", "extract", `--store=${state}/store.castr`, `${state}/${index}.caibx`, to],
  },
  {
    name: "borg",
    version: () => firstLine("borg", "--version"),
    env: { BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes", BORG_RELOCATED_REPO_ACCESS_IS_OK: "yes" },
    begin: (state) => ["borg", "init", "--encryption=none", `${state}/repo`],
    put: (state, { file }, index) =>
      shell(
        'cd "$3" && exec borg create --compression zstd,3 "$1::$2" image.tar',
        `${state}/repo`,
        `v${index}`,
        join(file, ".."),
      ),
    restore: (state, index, to) => shell('exec borg extract --stdout "$1" >"$2"', `${state}/repo::v${index}`, to),
  },
  {
    name: "restic",
    version: () => firstLine("restic", "version"),
    env: { RESTIC_PASSWORD: "bench" },
    begin: (state) => ["restic", "init", "-q", "-r", `${state}/repo`],
    put: (state, { file }, index) =>
      shell(
        'exec restic backup -q -r "$1" --tag "$2" --stdin --stdin-filename image.tar <"$3"',
        `${state}/repo`,
        `v${index}`,
        file,
      ),
    restore: (state, index, to) =>
      shell('exec restic dump -q -r "$1" --tag "$2" latest image.tar >"$3"', `${state}/repo`, `v${index}`, to),
  },
  {
    name: "bup",
    version: () => `bup ${firstLine("bup", "--version")}`,
    begin: (state) => ["bup", "-d", `${state}/repo`, "init"],
    put: (state, { file }, index) =>
      shell('exec bup -d "$1" split -q -n "$2" <"$3"', `${state}/repo`, `v${index}`, file),
    restore: (state, index, to) => shell('exec bup -d "$1" join "$2" >"$3"', `${state}/repo`, `v${index}`, to),
  },
  {
    name: "ostree",
    isSlow: true,
    version: () => `ostree ${firstLine("sh", "-c", "ostree --version | grep Version")}`,
    begin: (state) => ["ostree", `--repo=${state}/repo`, "init", "--mode=archive"],
    put: (state, { file }, index) => [
      "ostree",
      `--repo=${state}/repo`,
      "commit",
      `--branch=v${index}`,
      `--tree=tar=${file}`,
      "--tar-autocreate-parents",
    ],
  },
];
