/** From the table and one loaded command to commander's parser. Throws instead of exiting. */
import { Argument, Command, Option } from "commander";
import type { CommandSpec, Given } from "./command.ts";
import { COMMANDS } from "./table.ts";

export interface Parsed {
  readonly home: string | undefined;
  readonly json: boolean;
}

/** What runs when the line was right; `help` and `version` were printed by the parser already. */
export type Action = (spec: CommandSpec, given: Given, parsed: Parsed) => Promise<void>;

const COMMON_EXITS: Readonly<Record<number, string>> = { 0: "done", 2: "wrong use" };

function exitsAndExample(spec: CommandSpec): string {
  const exits = Object.entries({ ...COMMON_EXITS, ...spec.exits });
  const rows = exits.map(([status, meaning]) => `  ${status.padStart(2)}  ${meaning}`);
  return `\nExit status:\n${rows.join("\n")}\n\nExample:\n  ${spec.example}`;
}

/** Messages reach the user through renderFailure only; help goes where commander would put it. */
function quiet(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .helpCommand(false)
    .helpOption("-h, --help", "show this help");
}

function option({ flags, about, parse, default: value }: NonNullable<CommandSpec["options"]>[number]): Option {
  const made = new Option(flags, about);
  if (parse !== undefined) made.argParser(parse);
  return value === undefined ? made : made.default(value);
}

function define(spec: CommandSpec, action: Action): Command {
  const command = quiet(new Command(spec.name)).description(spec.summary);
  for (const { form, about } of spec.arguments ?? []) command.addArgument(new Argument(form, about));
  for (const each of spec.options ?? []) command.addOption(option(each));
  command.allowExcessArguments(false).addHelpText("after", exitsAndExample(spec));
  // commander calls with each argument, then the options, then the command.
  return command.action(async (...called: unknown[]) => {
    const globals = command.optsWithGlobals<{ home?: string; json?: boolean }>();
    const args = called.slice(0, -2) as Given["args"];
    await action(spec, { args, options: command.opts() }, { home: globals.home, json: globals.json === true });
  });
}

/** The first word that is not an option or the value of one: which command's file to load. */
export function commandName(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "--home") at += 1;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

/** Parses `words` (without node and script) and runs the command's action. */
export async function parse(words: readonly string[], version: string, action: Action): Promise<void> {
  const name = commandName(words);
  const program = quiet(new Command("gdo"))
    .description("Governance of Distributed Organizations: a ledger, dapps and doors for small organisations")
    .usage("[--home DIR] [--json] COMMAND …")
    .option("--home <dir>", "the home folder (default: GDO_HOME, else the system's place)")
    .option("--json", "one JSON object a line")
    .version(version, "-V, --version", "print the version")
    .addHelpText("after", "\nExample:\n  gdo demo --once");
  for (const row of COMMANDS) {
    if (row.name === name) program.addCommand(define(await row.load(), action));
    else program.addCommand(quiet(new Command(row.name)).description(row.summary).usage(""));
  }
  await program.parseAsync([...words], { from: "user" });
}
