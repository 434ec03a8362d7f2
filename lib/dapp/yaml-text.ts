/** YAML that people write: as plain data, and what is wrong with it in words. Pure. */
import { parseDocument } from "yaml";
import type { z } from "zod";
import { GdoError } from "../base/index.ts";

const CHARS_MAX = 64 * 1024;

/** YAML as plain data. Aliases are refused: they let a short text become a huge value. DAPP_MANIFEST. */
export function readYaml(text: string, file: string): unknown {
  if (text.length > CHARS_MAX) throw new GdoError("DAPP_MANIFEST", `${file} is longer than 64 KiB`);
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    throw new GdoError("DAPP_MANIFEST", `${file}: ${problem.message.split("\n")[0]}`, { cause: problem });
  }
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new GdoError("DAPP_MANIFEST", `${file}: aliases are not allowed`, { cause });
  }
}

/** The first issue, with the path of its key. */
export function messageOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "is not valid";
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    return `${path === "" ? "" : `${path}: `}unknown key ${issue.keys.join(", ")}`;
  if (issue.code === "invalid_type" && path === "") return "is not a map of keys";
  if (issue.code === "invalid_key") return `${path}: ${issue.issues[0]?.message}`;
  const isMissing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return `${path}: ${isMissing ? "is missing" : issue.message}`;
}
