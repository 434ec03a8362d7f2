/**
 * What an image says of the programs in it: variables for them, and the program that it was made for. It
 * is a file in the image, so that it goes where the image goes. Pure.
 */
import * as z from "zod";
import { GdoError } from "../../base/index.ts";
import type { ImageTree } from "./tree.ts";

export const SETTINGS_PATH = "etc/gdo-image.json";
export const SETTINGS_BYTES_MAX = 64 * 1024;

export interface ImageSettings {
  readonly environment: Readonly<Record<string, string>>;
  /** What the image was made to run, where it came from; a dapp's manifest says what is run. */
  readonly run: readonly string[];
}

const RESERVED = new Set(["HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"]);

/** Variables that are the same in every container, since verdicts must not depend on them [D3]. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const value = z.string().refine((text) => text.length <= 32_768 && !text.includes("\0"), "is too long or has a NUL");
export const environmentForm = z.record(z.string().regex(NAME, "is no variable's name"), value);
const settings = z.strictObject({ environment: environmentForm, run: z.array(z.string()) });

/** Lays the settings into an image; nothing where there is nothing to say. INPUT_INVALID for more than can be read again. */
export function placeSettings(image: ImageTree, { environment, run }: ImageSettings): void {
  if (Object.keys(environment).length === 0 && run.length === 0) return;
  const sorted = Object.fromEntries(Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = Buffer.from(`${JSON.stringify({ environment: sorted, run })}\n`);
  if (bytes.length > SETTINGS_BYTES_MAX)
    throw new GdoError("INPUT_INVALID", "the image's variables and program take more than 64 KiB");
  image.put(SETTINGS_PATH, { type: "file", mode: 0o644, content: { bytes } });
}

/** DAPP_MANIFEST when it is not of the form that placeSettings writes: an image may come from anywhere. */
export function parseSettings(text: string): ImageSettings {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    read = undefined;
  }
  const checked = settings.safeParse(read);
  if (checked.success) return checked.data;
  throw new GdoError("DAPP_MANIFEST", `the image's /${SETTINGS_PATH} is not of the form that gdo writes`);
}
