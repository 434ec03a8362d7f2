/** What a node has refused from others, in words; `--json` has the codes. */
import type { RefusedCode } from "../../agent/index.ts";

const WORDS: Readonly<Record<RefusedCode, string>> = {
  too_long: "blocks longer than any may be",
  form: "messages or blocks that are not in the form that they must have",
  wrong_org: "blocks of another organisation",
  unknown_author: "blocks by devices that the organisation does not know",
  quota: "blocks beyond what their device may send",
  window: "blocks too far ahead of what is held",
  signature: "signatures that are not by whom they say",
  equivocation: "blocks with a number that their device had used before (see alarm)",
  merge: "merges that break the rules (the agent's log says which, and why)",
  topic: "messages on a topic that they do not belong to",
  length: "messages longer than any may be",
  stranger: "messages from devices that the organisation does not know",
  revoked: "messages from devices that were revoked",
  rate: "messages beyond what a device may send at a time",
  piece: "pieces of blocks that do not fit together",
  unasked: "objects that were not asked for, or not any more",
  object: "objects that are not what was asked for",
};

/** A code that has no words stands for itself. */
export function refusedText(code: string, count: number): string {
  return `${count} × ${(WORDS as Readonly<Record<string, string>>)[code] ?? code}`;
}
