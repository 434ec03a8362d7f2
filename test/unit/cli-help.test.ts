import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import type { CommandSpec } from "../../lib/cli/command.ts";
import { commandName, parse } from "../../lib/cli/parser.ts";
import { COMMANDS } from "../../lib/cli/table.ts";

const PROJECT = new URL("../../../", import.meta.url); // From dist/test/unit.
const gdo = fileURLToPath(new URL("bin/gdo", PROJECT));

/** An example's words as a shell would split them; single and double quotes are all that examples use. */
function wordsOf(example: string): string[] {
  return [...example.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}

/** What each command's help prints, and its status; all by one process, since a start costs more than the help. */
const helps = new Map(
  spawnSync(
    process.execPath,
    [
      ...["--input-type=module", "-e"],
      `const { main } = await import(${JSON.stringify(new URL("dist/lib/cli/main.js", PROJECT).href)});
      for (const name of process.argv.slice(1)) {
        process.stdout.write("\\0" + name + "\\0");
        process.stdout.write("\\0" + (await main([name, "--help"])));
      }`,
      ...COMMANDS.map(({ name }) => name),
    ],
    { encoding: "utf8" },
  )
    .stdout.split(/\0(?=[a-z]+\0)/)
    .map((text): [string, string[]] => [text.split("\0")[0] ?? "", text.split("\0").slice(1)]),
);

for (const row of COMMANDS) {
  test(`gdo ${row.name}: help ends with its exit codes and one example`, (t) => {
    const [stdout = "", status] = helps.get(row.name) ?? [];
    t.is(status, "0");
    t.regex(stdout, /\nExit status:\n {3}0 {2}done\n(?: {2}.+\n)+\nExample:\n {2}gdo .+\n$/);
  });

  test(`gdo ${row.name}: its example is right`, async (t) => {
    const spec = await row.load();
    t.is(spec.name, row.name);
    const [gdoWord, ...words] = wordsOf(spec.example);
    t.is(gdoWord, "gdo");
    t.is(commandName(words), row.name);
    let taken: CommandSpec | undefined;
    await parse(words, "0", async (parsed) => {
      taken = parsed;
    });
    t.is(taken?.name, row.name);
  });

  test(`gdo ${row.name}: docs/cli.md has its section with every option and exit status`, async (t) => {
    const spec = await row.load();
    const page = readFileSync(new URL("docs/cli.md", PROJECT), "utf8");
    const section = page.split(/^### /m).find((text) => text.startsWith(`gdo ${row.name}`));
    t.not(section, undefined);
    for (const { flags } of spec.options ?? []) t.true(section?.includes(`\`${flags}\``), flags);
    for (const [status, meaning] of Object.entries(spec.exits))
      t.true(section?.includes(`${status} ${meaning}`), `${status} ${meaning}`);
  });
}

test("gdo --help names every command", (t) => {
  const { stdout, status } = spawnSync(process.execPath, [gdo, "--help"], { encoding: "utf8" });
  t.is(status, 0);
  for (const { name, summary } of COMMANDS)
    t.true(stdout.includes(name) && stdout.includes(summary.slice(0, 30)), name);
});

test("gdo without a command shows the help, with the status of wrong use", (t) => {
  const { stdout, status } = spawnSync(process.execPath, [gdo], { encoding: "utf8" });
  t.is(status, 2);
  t.regex(stdout, /^Usage: gdo /);
});

test("gdo into a closed pipe ends quietly", (t) => {
  const { stderr, stdout } = spawnSync("/bin/sh", ["-c", `"${process.execPath}" "${gdo}" --help | true`], {
    encoding: "utf8",
  });
  t.is(stderr + stdout, "");
});
