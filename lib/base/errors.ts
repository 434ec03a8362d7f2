/**
 * Expected failures. A bug is an AssertionError and ends the process; everything that a user, a
 * peer, a card or a file can cause is a GdoError with a code from this one table.
 */

/** Code → exit status of the command line. docs/errors.md explains each; a test keeps both equal. */
export const ERROR_CODES = {
  REFUSED: 1, // It said no: a test failed, a right is missing.
  USAGE: 2,
  HOME_MISSING: 3,
  HOME_LOCKED: 4,
  HOME_EXISTS: 5,
  CONFIG_INVALID: 6,
  KEY_INVALID: 7,
  PERMISSION: 8,
  NOT_FOUND: 10,
  AMBIGUOUS: 11,
  INPUT_INVALID: 12,
  IO: 13,
  INCOMPLETE: 14, // Done, but for some things that are named.
  STORE_CORRUPT: 20,
  STORE_MISSING: 21,
  STORE_FULL: 22,
  LEDGER_FORM: 30,
  LEDGER_UNKNOWN_AUTHOR: 31,
  LEDGER_SIGNATURE: 32,
  LEDGER_ORPHAN: 33,
  LEDGER_FORKED: 34,
  LEDGER_CORRUPT: 35,
  DAPP_MANIFEST: 40,
  DAPP_ERROR: 41,
  DAPP_LIMIT: 42,
  CONTAINER: 43,
  SYNC_FRAME: 50,
  SYNC_UNREACHABLE: 51,
  AGENT_UNREACHABLE: 52,
  POLICY_INVALID: 60,
  LINE_INVALID: 61,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface GdoErrorOptions {
  readonly cause?: unknown;
  /** The next command to try, without the leading "hint: ". */
  readonly hint?: string;
}

export class GdoError extends Error {
  override readonly name = "GdoError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: GdoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code];
  }
}

const OWN_FAILURES: ReadonlySet<ErrorCode> = new Set(["STORE_FULL", "IO", "PERMISSION"]);

/** What this computer could not do now, and may later: it says nothing about what it was given. */
export function isOwnFailure({ code }: GdoError): boolean {
  return OWN_FAILURES.has(code);
}
