/** `gdo person`: who is in the organisation; guardians, new keys, recovery, removal. */
import { rmSync } from "node:fs";
import { GdoError } from "../../../base/index.ts";
import type { CommandSpec, Session } from "../../command.ts";
import { wholeNumber } from "../../values.ts";
import { assertConfirmed, CONFIRM } from "./confirm.ts";
import { KEY_OPTIONS, newKeys } from "./new-keys.ts";
import { needed, noAction, openOf, type Person, personOf, type Roster, readRoster, record } from "./roster.ts";

type Options = Readonly<Record<string, unknown>>;

function describe({ id, roles, recovery, removed }: Person, { devices, guardians, open }: Roster): string {
  if (removed === true) return `${id}, removed`;
  const own = devices.filter(({ principal, revoked }) => principal === id && revoked !== true).map(({ name }) => name);
  const guard = guardians.find(({ principal }) => principal === id);
  const waits = open.filter(({ body }) => body.principal === id);
  return [
    `${id}: ${roles.join(", ") || "no role"}; devices ${own.join(", ") || "none"}`,
    `  ${recovery === null ? "no recovery key" : "has a recovery key"}; ${
      guard === undefined ? "no guardians" : `guardians ${guard.threshold} of ${guard.guardians.join(", ")}`
    }`,
    ...waits.map(
      ({ type, operation, ballots }) => `  ${type} ${operation.slice(0, 12)} waits, backed by ${ballots.join(", ")}`,
    ),
  ].join("\n");
}

async function list(session: Session, only: unknown): Promise<void> {
  const roster = await readRoster(session);
  const people = typeof only === "string" ? [personOf(roster, only)] : roster.principals;
  for (const each of people) session.out.emit("person", { ...each }, () => describe(each, roster));
}

async function guardians(session: Session, id: string, { guardian, threshold }: Options): Promise<void> {
  const roster = await readRoster(session);
  const names = String(guardian ?? "")
    .split(",")
    .filter((name) => name !== "" && name !== "none");
  if (guardian === undefined)
    throw new GdoError("USAGE", "it needs the guardians", {
      hint: "--guardian ben,cleo,dan --threshold 2, or --guardian none",
    });
  for (const each of [id, ...names]) personOf(roster, each);
  const least = (threshold as number | undefined) ?? Math.floor(names.length / 2) + 1;
  await record(session, "guardians.set", {
    principal: id,
    guardians: [...new Set(names)].sort(),
    threshold: names.length === 0 ? 0 : least,
  });
}

/** With `--print` it needs no home: whoever has one records what the recovery key has signed. */
async function replaceKeys(session: Session, type: string, id: string, options: Options): Promise<void> {
  if (options["print"] === true) {
    const body = await newKeys(id, options);
    const line = `gdo charter ${type} '${JSON.stringify(body)}'`;
    session.out.emit("operation", { operation: type, body }, () => line);
    return;
  }
  const roster = await readRoster(session);
  personOf(roster, id);
  const { devices } = roster;
  const own = devices.filter(({ principal, revoked }) => principal === id && revoked !== true);
  const names = own.map(({ name }) => name).join(", ") || "none";
  assertConfirmed(options["confirm"], id, `all devices that ${id} has now are revoked for good: ${names}`);
  const body = await newKeys(id, options);
  try {
    await record(session, type, body);
  } catch (error) {
    // What was refused has committed nobody to the key that was made for it.
    if (typeof options["newRecoveryKey"] === "string") rmSync(options["newRecoveryKey"]);
    throw error;
  }
}

async function remove(session: Session, id: string, confirm: unknown): Promise<void> {
  personOf(await readRoster(session), id);
  assertConfirmed(
    confirm,
    id,
    `${id} and all devices of ${id} are removed for good, and nobody can have that name again`,
  );
  await record(session, "principal.remove", { id });
}

async function back(session: Session, text: string): Promise<void> {
  const { operation } = openOf(await readRoster(session), text);
  await record(session, "ballot", { operation });
}

const ACTIONS = ["show", "guardians", "rotate", "recover", "back", "remove"];

export const person: CommandSpec = {
  name: "person",
  summary:
    "Who is in the organisation. 'guardians' names those who may say together which devices are a person's, 'rotate' replaces all own devices, 'recover' does so for somebody who has lost them, by the recovery key or as a guardian, 'back' supports what waits for more, 'remove' ends it.",
  arguments: [
    { form: "[action]", about: "show, guardians, rotate, recover, back or remove (default: list all)" },
    { form: "[person]", about: "who; of 'back' what waits, by the first digits of its id" },
  ],
  options: [
    { flags: "--guardian <names>", about: "other persons, with commas; 'none' for none" },
    {
      flags: "--threshold <n>",
      about: "how many guardians must agree (default: more than half)",
      parse: wholeNumber("--threshold", 1, 64),
    },
    ...KEY_OPTIONS,
    { flags: "--print", about: "show the operation instead of recording it; needs no home" },
    CONFIRM,
  ],
  exits: {
    1: "the charter forbids it, with the reason, or it was not confirmed",
    3: "there is no home",
    7: "a recovery key's file is none, or others can read it",
    10: "no such person, or nothing waits",
    11: "several things that wait begin so",
  },
  example: "gdo person recover ada --device laptop=$KEY --confirm ada",
  async run(session, { args: [action, name], options }) {
    const who = (): string => needed(name, "a person", `person ${String(action)}`);
    if (action === undefined) await list(session, undefined);
    else if (action === "show") await list(session, who());
    else if (action === "guardians") await guardians(session, who(), options);
    else if (action === "rotate" || action === "recover")
      await replaceKeys(session, `principal.${action}`, who(), options);
    else if (action === "back") await back(session, needed(name, "what waits", "person back"));
    else if (action === "remove") await remove(session, who(), options.confirm);
    else throw noAction(person, String(action), ACTIONS);
    return 0;
  },
};
