/** What reading a folder has to tell: nothing is left out in silence. */
import { GdoError } from "../../base/index.ts";
import { ioError, reasonOf } from "../io-error.ts";
import { displayPath } from "../tree/name.ts";

/**
 * unreadable: this user may not read it, or the disk fails; what can be told of it is kept. vanished:
 * removed while the folder was read. changed: written to while it was read; what was read is kept.
 * skipped: never kept, or kept without its content.
 */
export type NoteKind = "unreadable" | "vanished" | "changed" | "skipped";

export interface Note {
  readonly kind: NoteKind;
  readonly path: string;
  readonly why: string;
  readonly cause?: unknown;
}

export type OnNote = (note: Note) => void;

/** The note for a failed system call on a file that was there; a failure of the store passes. */
export function noteOfFailure(path: Uint8Array, error: unknown): Note {
  if (error instanceof GdoError) throw error;
  const why = reasonOf(error); // Throws what is a bug.
  if (["ENOENT", "ESTALE"].includes((error as NodeJS.ErrnoException).code ?? "")) {
    return { kind: "vanished", path: displayPath(path), why: "it vanished while the folder was read" };
  }
  return { kind: "unreadable", path: displayPath(path), why, cause: error };
}

/** For a reading that must be whole: what is unreadable is an error with its path. */
export function throwUnreadable({ kind, path, why, cause }: Note): void {
  if (kind !== "unreadable") return;
  if (cause === undefined) throw new GdoError("INPUT_INVALID", `cannot read ${path}: ${why}`);
  throw ioError(cause, `cannot read ${path}`);
}
