/** `gdo import`: other systems' data, as entries of the dapps that own it. */
import { resolve } from "node:path";
import type { Api, BooksReport } from "../../../agent/index.ts";
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Given, type Session, withApi } from "../../command.ts";

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
    {
      form: "<format>",
      about: "doorbot: an access list as CSV (v0) or JSON (v1); bank: a statement as CSV; ledger: a journal",
    },
    { form: "<file>", about: "the exported file" },
  ],
  options: [
    { flags: "--rules <file>", about: "bank: how its statements are written, and what their rows are (YAML)" },
    {
      flags: "--expect-hash <sha224>",
      about: "doorbot: refuse the file unless its bytes have this SHA-224",
      parse: expectHash,
    },
  ],
  exits: {
    3: "there is no home",
    8: "the file may not be read",
    10: "there is no such file, or the accounting dapp is not installed",
    12: "the file or its rules are malformed, or it has another hash; then nothing was taken in",
  },
  example: "gdo import doorbot acl.csv",
  async run(session, given) {
    const [format] = given.args;
    const importer = IMPORTERS[String(format)];
    if (importer === undefined)
      throw new GdoError("USAGE", `no format '${format}'; there are ${Object.keys(IMPORTERS).join(", ")}`);
    await importer(session, given);
    return 0;
  },
};

type Importer = (session: Session, given: Given) => Promise<void>;

const IMPORTERS: Readonly<Record<string, Importer>> = {
  doorbot: importDoorbot,
  bank: (session, { args: [, file], options }) => {
    if (options.rules === undefined) throw new GdoError("USAGE", "bank takes --rules FILE");
    return importBooks(session, async (api) => {
      const { importBank } = await import("../../../agent/index.ts");
      return importBank(api, { path: resolve(String(file)), rules: resolve(String(options.rules)) });
    });
  },
  ledger: (session, { args: [, file] }) =>
    importBooks(session, async (api) => {
      const { importJournal } = await import("../../../agent/index.ts");
      return importJournal(api, resolve(String(file)));
    }),
};

async function importBooks(session: Session, take: (api: Api) => Promise<BooksReport>): Promise<void> {
  const { problems, ...counts } = await withApi(session, take);
  for (const each of problems) {
    session.out.emit("problem", { ...each }, () => `line ${each.line}: ${each.what}: ${each.effect}`);
  }
  const { rows, booked, duplicates, dues } = counts;
  const paid = dues === 0 ? "" : `, ${dues} of them dues`;
  const text = `${rows} transactions: ${booked} booked${paid}, ${duplicates} known already, ${problems.length} odd rows`;
  session.out.emit("import", { ...counts, problems: problems.length }, () => text);
}

async function importDoorbot(session: Session, { args: [, file], options }: Given): Promise<void> {
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
}
