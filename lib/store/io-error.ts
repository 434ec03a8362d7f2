/** The operating system's refusals, told as GdoErrors. */
import { type ErrorCode, GdoError } from "../base/index.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "STORE_FULL",
  EDQUOT: "STORE_FULL",
  EFBIG: "STORE_FULL",
  EACCES: "PERMISSION",
  EPERM: "PERMISSION",
  EROFS: "PERMISSION",
};

/** The error for a failed system call; a GdoError passes unchanged. `what` reads like "cannot write PATH". */
export function ioError(cause: unknown, what: string): GdoError {
  if (cause instanceof GdoError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause; // Not from the operating system: a bug.
  const known = CODES[code] ?? "IO";
  const why = known === "STORE_FULL" ? "no space is left" : reasonOf(cause);
  return new GdoError(known, `${what}: ${why}`, { cause });
}

/** Why a system call failed, without the path by which it was made: "EACCES: permission denied". */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return message.split(",", 1)[0] ?? message;
}

/** Runs a system call and tells its failure. */
export async function withIoErrors<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw ioError(cause, what);
  }
}
