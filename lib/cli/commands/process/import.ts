/** `gdo import`: other systems' data, as entries of the dapps that own it. */
import { resolve } from "node:path";
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, withApi } from "../../command.ts";

interface Imported {
  readonly format: string;
  readonly rows: number;
  readonly people: number;
  readonly credentials: number;
  readonly allowed: number;
  readonly denied: number;
  readonly problems: readonly { line: number; what: string; effect: string }[];
  readonly entries: readonly string[];
}

function expectHash(text: string): string {
  if (/^[0-9a-f]{56}$/.test(text)) return text;
  throw new GdoError("USAGE", "--expect-hash takes the 56 hex digits of a SHA-224");
}

export const importData: CommandSpec = {
  name: "import",
  summary: "Take in another system's data. Odd rows are reported with their line; doubtful ones deny.",
  arguments: [
    { form: "<format>", about: "doorbot: an access list as CSV (v0) or JSON (v1)" },
    { form: "<file>", about: "the exported file" },
  ],
  options: [
    { flags: "--expect-hash <sha224>", about: "refuse the file unless its bytes have this SHA-224", parse: expectHash },
  ],
  exits: {
    3: "there is no home",
    8: "the file may not be read",
    10: "there is no such file",
    12: "the file is no such list, breaks off, or has another hash",
  },
  example: "gdo import doorbot acl.csv",
  async run(session, { args: [format, file], options }) {
    if (format !== "doorbot") throw new GdoError("USAGE", `no format '${format}'; the nearest is 'doorbot'`);
    const params = {
      path: resolve(String(file)),
      ...(options.expectHash === undefined ? {} : { expectHash: options.expectHash }),
    };
    const { problems, ...counts } = (await withApi(session, (api) => api.call("importDoorbot", params))) as Imported;
    for (const each of problems) {
      session.out.emit("problem", each, () => `line ${each.line}: ${each.what}: ${each.effect}`);
    }
    const { rows, people, credentials, allowed, denied } = counts;
    const text = `${rows} rows: ${people} people, ${credentials} cards, ${allowed} allowed, ${denied} denied, ${problems.length} odd rows`;
    session.out.emit("import", { ...counts, problems: problems.length }, () => text);
    return 0;
  },
};
