/**
 * Bank statements and journals into the accounting dapp, and its books out as a journal. Works through the
 * node's own questions and entries, so it is the same with and without an agent.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { parseDocument } from "yaml";
import { GdoError } from "../../base/index.ts";
import {
  type BankRules,
  type BooksAct,
  bankActs,
  entryGroups,
  JOURNAL_CHARS_MAX,
  journalActs,
  type OddRow,
  type OpenBooks,
  parseBankRules,
  readJournal,
  readStatement,
  STATEMENT_BYTES_MAX,
} from "../../interop/index.ts";
import type { Api } from "../control.ts";

const APP = "accounting";
const PEOPLE_APP = "membership";
const RULES_BYTES_MAX = 256 * 1024;
/** As many ids as the dapp's query takes. */
const IDS_PER_QUERY = 2000;

export interface BooksReport {
  /** Transactions that the file has. */
  readonly rows: number;
  readonly booked: number;
  /** Those that the books had already. */
  readonly duplicates: number;
  /** Those booked that pay dues. */
  readonly dues: number;
  readonly problems: readonly OddRow[];
  readonly entries: readonly string[];
}

interface Settings extends OpenBooks {
  /** A date up to which nothing can be booked any more. */
  readonly closedUntil: string | null;
  readonly plans: Readonly<Record<string, { readonly account: string; readonly currency: string }>>;
}

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");

/** NOT_FOUND, PERMISSION, INPUT_INVALID; then nothing was appended. */
export async function importBank(
  api: Api,
  paths: { readonly path: string; readonly rules: string },
): Promise<BooksReport> {
  const settings = await settingsOf(api);
  const rules = parseBankRules(yamlOf(paths.rules), paths.rules);
  checkRules(rules, settings, paths.rules);
  const digits = settings.currencies[rules.currency]?.digits as number;
  const statement = readStatement(readBounded(paths.path, STATEMENT_BYTES_MAX), { rules, digits, sha256Of });
  const known = await knownOf(
    api,
    statement.rows.map(({ id }) => id),
  );
  const unknown = statement.rows.filter(({ id }) => !known.has(id));
  const [late, fresh] = parted(unknown, ({ date }) => isClosed(settings, date));
  const { acts, problems } = bankActs(fresh, rules, settings.accounts);
  const lines = new Map(fresh.map(({ id, line }) => [id, line]));
  const people = await peopleNamed(api, acts);
  const checked = acts.map((act) => withPeople(act, people));
  const stray = acts
    .filter(({ body }, index) => duesOf(body).length > duesOf(checked[index]?.body ?? {}).length)
    .map(({ body }): OddRow => {
      const named = duesOf(body)
        .map(({ person }) => person)
        .join(", ");
      const line = lines.get(String(body["id"])) ?? 0;
      return { line, what: `nobody is called ${named}`, effect: "booked, but pays nobody's dues" };
    });
  const closed = late.map(
    ({ line, date }): OddRow => ({ line, what: `the books are closed on ${date}`, effect: "left out" }),
  );
  const [posts, opening] = parted(checked, ({ type }) => type === "transaction.post");
  return {
    rows: statement.rows.length,
    booked: posts.length,
    duplicates: known.size,
    dues: posts.filter(({ body }) => duesOf(body).length > 0).length,
    problems: [...statement.problems, ...problems, ...closed, ...stray].sort((a, b) => a.line - b.line),
    // An entry is void as a whole: one row an entry, so that one that is refused takes no other with it.
    entries: await appendAll(api, [...entryGroups(opening), ...posts.map((post) => [post])]),
  };
}

/** The same of a Ledger journal: all of it, or nothing. */
export async function importJournal(api: Api, path: string): Promise<BooksReport> {
  const settings = await settingsOf(api);
  const journal = readJournal(new TextDecoder().decode(readBounded(path, JOURNAL_CHARS_MAX)));
  const { opening, posts, assertions } = journalActs(journal, settings, sha256Of);
  const known = await knownOf(
    api,
    posts.map(({ id }) => id),
  );
  const fresh = posts.filter(({ id }) => !known.has(id)).map(({ type, body }): BooksAct => ({ type, body }));
  const late = fresh.find(({ body }) => isClosed(settings, String(body["date"])));
  if (late !== undefined)
    throw new GdoError("INPUT_INVALID", `${path}: the books are closed on ${String(late.body["date"])}`);
  // Claims of a journal that the books have whole are theirs already.
  const claims = fresh.length === 0 ? [] : assertions;
  return {
    rows: posts.length,
    booked: fresh.length,
    duplicates: known.size,
    dues: 0,
    problems: [],
    entries: await appendAll(api, entryGroups([...opening, ...fresh, ...claims])),
  };
}

/** The whole journal, piece by piece. */
export async function* exportJournal(api: Api): AsyncGenerator<string> {
  let page = (await ask(api, APP, "journal", {})) as { text: string; next: string | null };
  while (true) {
    yield page.text;
    if (page.next === null) return;
    page = (await ask(api, APP, "journal", { after: page.next })) as typeof page;
  }
}

async function ask(api: Api, app: string, query: string, args: object): Promise<unknown> {
  return ((await api.call("query", { app, query, args })) as { value: unknown }).value;
}

async function settingsOf(api: Api): Promise<Settings> {
  return (await ask(api, APP, "settings", {})) as Settings;
}

/** What a rules file needs of the books must be there, else every row would be void. */
function checkRules({ currency, rules }: BankRules, { currencies, plans }: Settings, path: string): void {
  if (currencies[currency] === undefined)
    throw new GdoError("INPUT_INVALID", `${path}: the books have no currency ${currency}`, {
      hint: `gdo append accounting currency.put '{"currency":"${currency}","digits":2}'`,
    });
  for (const { dues, account } of rules) {
    const plan = dues === undefined ? undefined : plans[dues];
    if (dues === undefined) continue;
    if (plan === undefined)
      throw new GdoError("INPUT_INVALID", `${path}: the books have no plan ${dues}, or it is not merged yet`, {
        hint: "gdo merge",
      });
    if (plan.account !== account || plan.currency !== currency)
      throw new GdoError("INPUT_INVALID", `${path}: dues of ${dues} go to ${plan.account} in ${plan.currency}`);
  }
}

async function knownOf(api: Api, ids: readonly string[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const part = (await ask(api, APP, "known", { ids: ids.slice(from, from + IDS_PER_QUERY) })) as string[];
    for (const id of part) known.add(id);
  }
  return known;
}

function duesOf(body: BooksAct["body"]): readonly { readonly person: string }[] {
  return (body["dues"] ?? []) as readonly { readonly person: string }[];
}

/**
 * Ids of the people that dues name, as written or in lower case, since banks write in capitals; undefined for
 * whom membership does not know. Where there is no membership, everybody is who they are said to be.
 */
async function peopleNamed(api: Api, acts: readonly BooksAct[]): Promise<Map<string, string | undefined>> {
  const named = new Set(acts.flatMap(({ body }) => duesOf(body).map(({ person }) => person)));
  const people = new Map<string, string | undefined>();
  for (const name of named) {
    const tried = await Promise.all(
      [name, name.toLowerCase()].map(async (id) => ((await isPerson(api, id)) ? [id] : [])),
    );
    people.set(name, tried.flat()[0]);
  }
  return people;
}

async function isPerson(api: Api, id: string): Promise<boolean> {
  try {
    return (await ask(api, PEOPLE_APP, "person", { id })) !== null;
  } catch (cause) {
    if (cause instanceof GdoError && cause.code === "NOT_FOUND") return true;
    throw cause;
  }
}

function withPeople(act: BooksAct, people: ReadonlyMap<string, string | undefined>): BooksAct {
  const { dues: _, ...body } = act.body;
  const dues = duesOf(act.body).flatMap((part) => {
    const person = people.get(part.person);
    return person === undefined ? [] : [{ ...part, person }];
  });
  return dues.length === 0 ? { ...act, body } : { ...act, body: { ...body, dues } };
}

function isClosed({ closedUntil }: Settings, date: string): boolean {
  return closedUntil !== null && date <= closedUntil;
}

/** Those for which it holds, and the others. */
function parted<T>(items: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

async function appendAll(api: Api, groups: readonly (readonly BooksAct[])[]): Promise<string[]> {
  const entries: string[] = [];
  for (const group of groups) {
    const { id } = (await api.call("append", { app: APP, acts: group })) as { id: string };
    entries.push(id);
  }
  return entries;
}

function yamlOf(path: string): unknown {
  const document = parseDocument(new TextDecoder().decode(readBounded(path, RULES_BYTES_MAX)), { uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new GdoError("INPUT_INVALID", `${path}: ${problem.message.split("\n")[0]}`);
  return document.toJS({ maxAliasCount: 0 });
}

function readBounded(path: string, bytesMax: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > bytesMax) throw new GdoError("INPUT_INVALID", `${path} has ${size} bytes, more than ${bytesMax}`);
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    if (cause instanceof GdoError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new GdoError("NOT_FOUND", `no such file: ${path}`, { cause });
    throw new GdoError(code === "EACCES" ? "PERMISSION" : "IO", `cannot read ${path}: ${code ?? ""}`, { cause });
  }
}
