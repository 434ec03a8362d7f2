/** `gdo dapp`: make a dapp, try it, install it, read what it says. */
import { resolve } from "node:path";
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";
import { untilStopped } from "../../stopping.ts";
import { wholeNumber } from "../../values.ts";

const LINES_DEFAULT = 100;
/** How often who follows a log looks for more. */
const LOOK_EVERY_MS = 200;

interface Rehearsed {
  readonly branch: string;
  readonly h: number;
  readonly entries: number;
  readonly changed: readonly { id: string; h: number; was: string | null; now: string | null }[];
  readonly keys: number;
  readonly moved?: number;
  readonly failure?: { h: number; why: string };
}

interface Change {
  readonly name: string;
  readonly version: string;
  readonly tree: string;
  readonly entry?: string;
  readonly rehearsal: Rehearsed & { readonly others: readonly Rehearsed[] };
}

/** What the history of one branch says of it. */
function found({ changed, keys, moved, failure }: Rehearsed): string[] {
  const before = (reason: string | null): string => (reason === null ? "counted" : `was void: ${reason}`);
  const after = (reason: string | null): string => (reason === null ? "would count" : `would be void: ${reason}`);
  const lines = changed.map(({ id, h, was, now }) => `  ${id.slice(0, 12)}  @${h}  ${before(was)}; ${after(now)}`);
  if (keys > 0) lines.push(`  ${keys} keys of its state would not be as they are; the real state stays as it is`);
  if (moved !== undefined) lines.push(`  the next merge brings its state into another form: ${moved} changes`);
  if (failure !== undefined) lines.push(`  at height ${failure.h}: ${failure.why}`);
  return lines;
}

/** Then where it stands. */
function describe({ name, version, tree, entry, rehearsal }: Change): string {
  const { h, entries, others } = rehearsal;
  const lines = [`${name} ${version} ${tree.slice(0, 12)}: rehearsed over ${entries} entries up to height ${h}`];
  lines.push(...found(rehearsal));
  for (const other of others)
    lines.push(`on ${other.branch}: over ${other.entries} entries up to height ${other.h}`, ...found(other));
  if (entry !== undefined) lines.push(`proposed to the charter: ${entry.slice(0, 12)}`, "hint: gdo merge charter");
  return lines.join("\n");
}

type Action = (
  session: Session,
  what: string | undefined,
  options: Readonly<Record<string, unknown>>,
) => Promise<number>;

function needed(what: string | undefined, form: string): string {
  if (what === undefined) throw new GdoError("USAGE", `gdo dapp ${form}`, { hint: "gdo dapp --help" });
  return what;
}

async function make(session: Session, name: string | undefined, { language }: { language?: string }): Promise<number> {
  const { newDapp } = await import("../../../agent/index.ts");
  const folder = await newDapp(needed(name, "new NAME"), language ?? "python", ".");
  session.out.emit("dapp", { name, folder }, () => `${folder}\nhint: gdo dapp test ${name}`);
  return 0;
}

async function attempt(session: Session, what: string | undefined): Promise<number> {
  const { tryDapp } = await import("../../../agent/index.ts");
  const isPassed = await tryDapp(what ?? ".", (report) =>
    session.out.emit("try", { ...report }, () => {
      const line = `${report.isPassed ? "ok    " : "FAILED"}  ${report.step.padEnd(12)} ${report.name}`;
      return [line, ...report.faults.map((fault) => `          ${fault}`)].join("\n");
    }),
  );
  return isPassed ? 0 : 1;
}

async function types(session: Session, what: string | undefined): Promise<number> {
  const { openProject, writeTypes } = await import("../../../agent/index.ts");
  const isNew = await writeTypes(await openProject(what ?? "."));
  session.out.emit("types", { isNew }, () => (isNew ? "src/acts.ts" : ""));
  return 0;
}

async function change(session: Session, method: string, params: object): Promise<Change> {
  const made = (await withApi(session, (api) => api.call(method, params))) as Change;
  session.out.emit("dapp", { ...made }, () => describe(made));
  return made;
}

async function install(session: Session, what: string | undefined): Promise<number> {
  await change(session, "installDapp", { path: resolve(needed(what, "install FOLDER")) });
  return 0;
}

async function logs(
  session: Session,
  what: string | undefined,
  { follow, lines }: { follow?: boolean; lines?: number },
): Promise<number> {
  const { openDappLog } = await import("../../../agent/index.ts");
  const name = needed(what, "logs NAME");
  const log = await openDappLog(session.homeFlag, name);
  const tell = (text: string): void => {
    const at = text.indexOf(" ");
    session.out.emit("log", { dapp: name, at: text.slice(0, at), text: text.slice(at + 1) }, () => text);
  };
  for (const line of log.last(lines ?? LINES_DEFAULT)) tell(line);
  let isStopped = follow !== true;
  const stopped = isStopped ? undefined : untilStopped({ withParent: false }).then(() => (isStopped = true));
  while (!isStopped) {
    await Promise.race([stopped, new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS))]);
    for (const line of log.next()) tell(line);
    await session.out.drained();
  }
  log.close();
  return 0;
}

async function rehearse(session: Session, what: string | undefined): Promise<number> {
  const path = resolve(needed(what, "rehearse FOLDER"));
  const { rehearsal } = await change(session, "installDapp", { path, isOnlyRehearsed: true });
  return [rehearsal, ...rehearsal.others].every(({ failure }) => failure === undefined) ? 0 : 1;
}

async function rollBack(session: Session, what: string | undefined): Promise<number> {
  await change(session, "rollBackDapp", { name: needed(what, "rollback NAME") });
  return 0;
}

async function remove(session: Session, what: string | undefined): Promise<number> {
  const name = needed(what, "remove NAME");
  const made = (await withApi(session, (api) => api.call("removeDapp", { name }))) as { entry: string };
  session.out.emit("removal", { ...made }, () => `${made.entry}\nhint: gdo merge charter`);
  return 0;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  new: make,
  test: attempt,
  types,
  rehearse,
  install,
  rollback: rollBack,
  remove,
  logs,
};

export const dapp: CommandSpec = {
  name: "dapp",
  summary:
    "Make and try a dapp (new, test, types); see what it would change (rehearse); propose it (install, rollback, remove); read its log (logs).",
  arguments: [
    { form: "<action>", about: Object.keys(ACTIONS).join(", ") },
    {
      form: "[what]",
      about: "a dapp's folder (default for test and types: this one); its name for new, rollback, remove and logs",
    },
  ],
  options: [
    { flags: "--language <language>", about: "of a new dapp: python (default), ts, shell or c" },
    {
      flags: "-n, --lines <count>",
      about: "how much of a log (default: 100 lines)",
      parse: wholeNumber("--lines", 0, 100_000),
    },
    { flags: "-f, --follow", about: "go on with what comes to the log, until Ctrl-C" },
  ],
  exits: {
    1: "a test of the dapp failed; it does not get through the history; the charter forbids it",
    3: "there is no home",
    10: "no such folder, dapp or earlier version; the dapp has no log here",
    12: "the name or a file of the dapp has not the right form, or its program cannot be built",
    40: "its dapp.yaml or a schema is not right",
    43: "its container could not be started",
  },
  example: "gdo dapp new quota --language python",
  async run(session, { args: [action, what], options }) {
    const perform = Object.hasOwn(ACTIONS, String(action)) ? ACTIONS[String(action)] : undefined;
    if (perform === undefined)
      throw new GdoError("USAGE", `gdo dapp has no action '${action}'`, {
        hint: `one of ${Object.keys(ACTIONS).join(", ")}`,
      });
    return perform(session, what as string | undefined, options);
  },
};
