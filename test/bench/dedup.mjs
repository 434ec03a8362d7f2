/**
 * Which way of cutting saves most at equal mean size: `node test/bench/dedup.mjs [FOLDER]`, as root or not.
 * Fetches Debian and npm packages in several versions into FOLDER (kept, so that a second run needs no
 * network), makes databases and disk images from a seed, and prints one table for each kind of data: each rule
 * with several sets of constants, so that a rule is told from its luck. Takes minutes.
 * docs/adr/0009-hash-mix.md holds what it printed. Asserts nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { SeededRng } from "../../dist/lib/base/index.js";

const AVERAGES = [16_384, 65_536];
const SEEDS = 8;
const folder = resolve(process.argv[2] ?? join(tmpdir(), "gdo-dedup"));
const sh = (command, cwd = folder) =>
  execFileSync("sh", ["-ec", command], { cwd, stdio: ["ignore", "pipe", "inherit"] });

/** Runs `make` in a new folder once; gives the files it left, in order. */
function kind(name, make) {
  const place = join(folder, name);
  if (!existsSync(place)) {
    mkdirSync(`${place}.part`, { recursive: true });
    make(`${place}.part`);
    sh(`mv ${place}.part ${place}`);
  }
  return readdirSync(place)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((file) => join(place, file));
}

/** The file tree of Debian packages as tar, every version that the archive has, or the packages named. */
function debian(place, names) {
  for (const name of names) {
    const versions = String(sh(`apt-cache madison ${name} | cut -d'|' -f2 | sort -uV`))
      .split(/\s+/)
      .filter(Boolean);
    for (const version of versions) {
      sh(`apt-get download -qq ${name}=${version}`, place);
      const [archive] = readdirSync(place).filter((file) => file.endsWith(".deb"));
      sh(`dpkg-deb --fsys-tarfile '${archive}' >'${name}-${version}.tar'; rm '${archive}'`, place);
    }
  }
}

function npm(place, names) {
  for (const name of names) sh(`npm pack --silent ${name} >/dev/null && gunzip -f -S .tgz *.tgz`, place);
}

/** A table with an index, in five states: rows come, change and go between them. */
function databases(place) {
  const rng = new SeededRng(1);
  const db = new Database(join(place, "live"));
  db.exec(
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT, balance INTEGER, note TEXT); CREATE INDEX by_name ON entry (name)",
  );
  const add = db.prepare("INSERT INTO entry (name, balance, note) VALUES (?, ?, ?)");
  const change = db.prepare("UPDATE entry SET balance = ?, note = ? WHERE id = ?");
  const remove = db.prepare("DELETE FROM entry WHERE id = ?");
  const text = (bytes) => Buffer.from(rng.bytes(bytes)).toString("base64");
  const anyId = (rows) => 1 + Math.floor(rng.next() * rows);
  for (let version = 0; version < 5; version += 1) {
    db.transaction(() => {
      for (let row = 0; row < (version === 0 ? 60_000 : 3000); row += 1) add.run(text(9), row, text(120));
      for (let row = 0; version > 0 && row < 300; row += 1) change.run(row, text(130), anyId(60_000));
      for (let row = 0; version > 0 && row < 100; row += 1) remove.run(anyId(60_000));
    })();
    sh(`cp live version-${version}`, place);
  }
  db.close();
  rmSync(join(place, "live"));
}

/** ext4 images of the same trees that the layers hold. */
function images(place, layers) {
  for (const layer of layers) {
    const name = layer.split("/").pop();
    sh(`mkdir tree; tar xf '${layer}' -C tree; mke2fs -q -t ext4 -d tree '${name}.img' 96M; rm -r tree`, place);
  }
}

function table(name, files) {
  for (const average of AVERAGES) {
    const lines = String(execFileSync(join(folder, "dedup"), [String(average), String(SEEDS), ...files]))
      .trim()
      .split("\n");
    console.log(`\n${name}, ${files.length} files, mean ${average}: saved %, over ${SEEDS} sets of constants`);
    for (const line of lines) {
      const [rule, mean, saved, deviation, least, greatest, inUse] = line.split("\t");
      console.log(
        `${rule.padEnd(18)} mean ${mean.padStart(6)}  saved ${saved.padStart(6)} ± ${deviation}  (${least} to ${greatest}; in use ${inUse})`,
      );
    }
  }
}

mkdirSync(folder, { recursive: true });
sh(
  `cmake -S . -B build/bench && cmake --build build/bench --target dedup && cp build/bench/dedup ${folder}/`,
  process.cwd(),
);
const layers = kind("layers", (place) => debian(place, ["git", "openssl", "libc6", "curl", "python3.11-minimal"]));
const gits = layers.filter((file) => /\/git-/.test(file));
table("container layers", layers);
table(
  "kernels",
  kind("kernels", (place) => debian(place, ["linux-image-6.1.0-55-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64"])),
);
table(
  "source trees",
  kind("sources", (place) =>
    npm(
      place,
      ["8.53.0", "8.54.0", "8.55.0", "8.56.0", "8.57.0"].map((v) => `eslint@${v}`),
    ),
  ),
);
table(
  "text",
  kind("text", (place) =>
    npm(
      place,
      ["5.5.0", "5.5.10", "5.5.20"].map((v) => `@mdn/browser-compat-data@${v}`),
    ),
  ),
);
table("databases", kind("databases", databases));
table(
  "disk images",
  kind("images", (place) => images(place, gits)),
);
