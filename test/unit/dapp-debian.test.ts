/** Debian's packages as images need them: the closure of what they need, and which files count. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { closureOf, isWanted, parsePackages } from "../../lib/dapp/image/debian.ts";
import { ImageTree, InstalledPackages } from "../../lib/dapp/index.ts";

const paragraph = (name: string, fields: Record<string, string> = {}): string =>
  Object.entries({ Package: name, Status: "install ok installed", Architecture: "amd64", Version: "1-1", ...fields })
    .map(([field, value]) => `${field}: ${value}`)
    .join("\n");

const namesOf = (wanted: string, ...paragraphs: string[]) => {
  const { packages, missing } = closureOf([wanted], parsePackages(paragraphs.join("\n\n"), "amd64"));
  return [packages.map(({ name }) => name), missing];
};

test("the closure follows needs, choices and what is provided, and ends in circles", (t) => {
  const tool = paragraph("tool", {
    "Pre-Depends": "libc6 (>= 2.3)",
    Depends: "gone | liba:any (= 1), virtual [amd64]",
  });
  const liba = paragraph("liba", { Depends: "tool, debconf (>= 0.5) | debconf-2.0" });
  const real = paragraph("real", { Provides: "virtual (= 2), other" });
  t.deepEqual(namesOf("tool", tool, liba, real, paragraph("libc6")), [["liba", "libc6", "real", "tool"], []]);
  t.deepEqual(namesOf("tool", tool, liba, real), [["liba", "real", "tool"], ["libc6"]]);
});

test("what was removed, or is of another architecture, is not there", (t) => {
  const removed = paragraph("tool", { Status: "deinstall ok config-files" });
  t.deepEqual(namesOf("tool", removed), [[], ["tool"]]);
  t.deepEqual(namesOf("tool", paragraph("tool", { Architecture: "arm64" })), [[], ["tool"]]);
  t.deepEqual(namesOf("tool", paragraph("tool", { Architecture: "all" })), [["tool"], []]);
});

test("words for people and the machine's services are left out, licences stay", (t) => {
  const paths = ["/usr/bin/x", "/usr/share/doc/x/copyright", "/usr/lib/python3/x.py", "/etc/x.conf", "/lib/x.so"];
  for (const path of paths) t.true(isWanted(path), path);
  const others = ["/usr/share/doc/x/README", "/usr/share/man/man1/x.1.gz", "/etc/init.d/x", "/var/lib/x", "/dev"];
  for (const path of others) t.false(isWanted(path), path);
});

/** A machine with one package, whose files are as in `now` and were installed as in `then`. */
function machine(t: ExecutionContext, now: Record<string, string>, then = now, settings = ""): InstalledPackages {
  const root = mkdtempSync(join(tmpdir(), "gdo-dpkg-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(now)) write(path, text);
  symlinkSync("tool", join(root, "usr/bin/t"));
  const paths = ["/.", "/usr", "/usr/bin", "/usr/bin/t", ...Object.keys(now)];
  const dpkg = (name: string, text: string): void => write(`/var/lib/dpkg/${name}`, text);
  const conffiles = settings === "" ? "" : `\nConffiles:\n ${settings} ${md5(then[settings] ?? "")}`;
  dpkg("status", `${paragraph("tool")}${conffiles}\n`);
  dpkg("info/tool:amd64.list", `${paths.join("\n")}\n`);
  const summed = Object.entries(then).filter(([path]) => path !== settings);
  dpkg("info/tool:amd64.md5sums", summed.map(([path, text]) => `${md5(text)}  ${path.slice(1)}\n`).join(""));
  return new InstalledPackages("amd64", root);
}

function placed(source: InstalledPackages): ImageTree {
  const image = new ImageTree();
  for (const each of source.closure(["tool"]).packages) source.place(each, image);
  return image;
}

test("an installed package's files and links are placed as dpkg lists them", (t) => {
  const image = placed(machine(t, { "/usr/bin/tool": "#!tool", "/etc/tool.conf": "a=1" }, undefined, "/etc/tool.conf"));
  t.like(image.find("usr/bin/tool"), { type: "file", mode: 0o644 });
  t.deepEqual(image.find("usr/bin/t"), { type: "link", target: "tool" });
  t.like(image.find("etc/tool.conf"), { type: "file" });
});

test("a file or setting that an administrator changed is refused, not shared", (t) => {
  const then = { "/usr/bin/tool": "#!tool", "/etc/tool.conf": "a=1" };
  for (const path of Object.keys(then)) {
    const source = machine(t, { ...then, [path]: "secret" }, then, "/etc/tool.conf");
    t.throws(() => placed(source), {
      code: "INPUT_INVALID",
      message: `${path} is not as the Debian package tool has it`,
    });
  }
});
