/** From what went wrong to one line on standard error and an exit status. */
import picocolors from "picocolors";
import { GdoError } from "../base/index.ts";
import { printable } from "./output.ts";

const { createColors, isColorSupported } = picocolors;

/** A bug, as sysexits.h has it (EX_SOFTWARE); never from the error table. */
export const EXIT_BUG = 70;
export const EXIT_USAGE = 2;

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly exit: number;
}

interface ParserError {
  readonly code: string;
  readonly message: string;
}

function isParserError(error: unknown): error is ParserError {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && code.startsWith("commander.");
}

/** "error: unknown option '--jsno'\n(Did you mean --json?)" → message and the nearest name. */
function fromParser(error: ParserError, hintFor: (nearest: string | undefined) => string): Failure {
  const [first = "", second = ""] = error.message.split("\n");
  const nearest = /^\(Did you mean (?:one of )?([^,?]+)/.exec(second)?.[1];
  const message = first.replace(/^error: /, "").replace(/\.$/, "");
  const suffix = nearest === undefined ? "" : `; the nearest is '${nearest}'`;
  return { code: "USAGE", message: `${message}${suffix}`, hint: hintFor(nearest), exit: EXIT_USAGE };
}

const SYSTEM_MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "there is no",
  EACCES: "may not open",
  EPERM: "may not change",
  EISDIR: "is a folder:",
  ENOTDIR: "is not a folder:",
  EEXIST: "already exists:",
  ENOSPC: "the disk is full at",
};

/** A file that is absent or closed to us is the user's matter, not a bug. */
function fromSystem(error: NodeJS.ErrnoException): Failure | undefined {
  const meaning = error.code === undefined ? undefined : SYSTEM_MEANINGS[error.code];
  if (meaning === undefined || error.path === undefined) return undefined;
  return { code: "IO", message: `${meaning} ${error.path}`, exit: new GdoError("IO", "").exitStatus };
}

/** `hintFor` gives the command to try after wrong use, given the nearest name if there is one. */
export function describeFailure(error: unknown, hintFor: (nearest: string | undefined) => string): Failure {
  if (error instanceof GdoError) {
    const { code, message, exitStatus, hint } = error;
    const next = hint ?? (code === "USAGE" ? hintFor(undefined) : undefined);
    return { code, message, exit: exitStatus, ...(next === undefined ? {} : { hint: next }) };
  }
  if (isParserError(error)) return fromParser(error, hintFor);
  const system = error instanceof Error ? fromSystem(error) : undefined;
  if (system !== undefined) return system;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "BUG", message: `this is a bug: ${message}`, exit: EXIT_BUG };
}

/** One line and its hint, or one JSON object; without the newline at the end. */
export function renderFailure(failure: Failure, options: { json: boolean; isOnTerminal: boolean }): string {
  if (options.json) return JSON.stringify({ type: "error", ...failure });
  const { red, dim } = createColors(options.isOnTerminal && isColorSupported); // Which knows NO_COLOR.
  const one = failure.exit === EXIT_BUG ? failure.message : failure.message.replaceAll("\n", " ");
  const hint = failure.hint === undefined ? "" : dim(`\nhint: ${printable(failure.hint)}`);
  return `${red("gdo:")} ${printable(one)}${hint}`;
}
