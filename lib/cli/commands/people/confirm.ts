/** What cannot be undone is asked for twice: the name of what it concerns is given again. */
import { GdoError } from "../../../base/index.ts";
import type { OptionSpec } from "../../command.ts";

export const CONFIRM: OptionSpec = {
  flags: "--confirm <name>",
  about: "the name once more, for what cannot be undone",
};

/** REFUSED, with what would happen, unless the name was given again. */
export function assertConfirmed(given: unknown, name: string, consequence: string): void {
  if (given === name) return;
  const again = given === undefined ? "" : `, not --confirm ${String(given)}`;
  throw new GdoError("REFUSED", `this cannot be undone: ${consequence}`, {
    hint: `the same again with --confirm ${name}${again}`,
  });
}
