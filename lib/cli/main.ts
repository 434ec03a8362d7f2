/**
 * The command line's entry: words in, exit status out. What a command prints goes to standard
 * output, what went wrong to standard error in one line. Rules: docs/design/cli.md.
 */
import { readFileSync } from "node:fs";
import type { Session } from "./command.ts";
import { describeFailure, EXIT_USAGE, renderFailure } from "./failure.ts";
import { Output } from "./output.ts";
import { commandName, parse } from "./parser.ts";
import { COMMANDS } from "./table.ts";

function version(): string {
  const manifest = new URL("../../../package.json", import.meta.url); // From dist/lib/cli, or dist/bundle/cli.
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** A reader that has seen enough (`gdo log | head`) is no error. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

const HELPFUL = new Set(["commander.helpDisplayed", "commander.help", "commander.version"]);

function isHelp(error: unknown): boolean {
  return HELPFUL.has((error as { code?: string }).code ?? "");
}

/** After wrong use: the nearest command if one is near, else the help that would have prevented it. */
function hintAfter(words: readonly string[]): (nearest: string | undefined) => string {
  const name = commandName(words);
  const known = COMMANDS.some((row) => row.name === name);
  return (nearest) => {
    if (known) return `gdo ${name} --help`;
    return nearest === undefined || nearest.startsWith("-") ? "gdo --help" : `gdo ${nearest}`;
  };
}

/** Runs one command line; resolves to the exit status. */
export async function main(words: readonly string[] = process.argv.slice(2)): Promise<number> {
  endQuietlyOnClosedPipe();
  let status = 0;
  try {
    if (words.length === 0) {
      await parse(["--help"], version(), async () => {}).catch((error: unknown) => {
        if (!isHelp(error)) throw error;
      });
      return EXIT_USAGE;
    }
    await parse(words, version(), async (spec, given, { home, json }) => {
      const session: Session = { homeFlag: home, json, out: new Output(process.stdout, json) };
      status = (await spec.run(session, given)) ?? 0;
    });
  } catch (error) {
    if (isHelp(error)) return 0;
    const failure = describeFailure(error, hintAfter(words));
    process.stderr.write(
      `${renderFailure(failure, { json: words.includes("--json"), isOnTerminal: process.stderr.isTTY === true })}\n`,
    );
    return failure.exit;
  }
  return status;
}
