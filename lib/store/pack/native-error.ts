/** The native store's faults, told as GdoErrors. */
import type { StoreFault } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";
import { ioError } from "../io-error.ts";

function isFault(error: unknown): error is StoreFault {
  return error instanceof Error && typeof (error as StoreFault).fault === "string";
}

/** Runs a native call and tells its failure. */
export async function withStoreErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw isFault(cause) ? storeError(cause) : cause;
  }
}

function storeError(cause: StoreFault): GdoError {
  switch (cause.fault) {
    case "system":
      return ioError(Object.assign(new Error(cause.code), { code: cause.code }), cause.message);
    case "corrupt":
      return new GdoError("STORE_CORRUPT", cause.message, { hint: "gdo verify" });
    case "missing":
      return new GdoError("STORE_MISSING", cause.message);
    case "invalid":
      return new GdoError("INPUT_INVALID", cause.message);
    default:
      return new GdoError("IO", cause.message, { cause });
  }
}

/** Whether a file that was to be read is gone: of a pack, that it has been moved or removed [T11]. */
export function isGone(error: unknown): boolean {
  return error instanceof GdoError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
