/** The charter as these commands read it, and names given on the command line found in it. */
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";

export interface Device {
  readonly key: string;
  readonly principal: string;
  readonly name: string;
  readonly revoked?: boolean;
  readonly decides?: boolean;
}

export interface Person {
  readonly id: string;
  readonly roles: readonly string[];
  readonly recovery: string | null;
  readonly removed?: boolean;
}

export interface OpenOperation {
  readonly operation: string;
  readonly type: string;
  readonly body: { readonly principal?: string };
  readonly ballots: readonly string[];
}

export interface Roster {
  readonly principals: readonly Person[];
  readonly devices: readonly Device[];
  readonly guardians: readonly { principal: string; guardians: readonly string[]; threshold: number }[];
  readonly open: readonly OpenOperation[];
}

export async function readRoster(session: Session): Promise<Roster> {
  return (await withApi(session, (api) => api.call("charter"))) as Roster;
}

/** What became of an operation: recorded, or kept open until more back it. */
interface Governed {
  readonly id: string;
  readonly open?: readonly {
    readonly operation: string;
    readonly needed: number;
    readonly guardians: readonly string[];
  }[];
}

/** Records one charter operation, and says what is still missing. */
export async function record(session: Session, type: string, body: unknown): Promise<void> {
  const made = (await withApi(session, (api) => api.call("govern", { acts: [{ type, body }] }))) as Governed;
  session.out.emit("entry", { ...made }, () => [made.id, ...(made.open ?? []).map(waiting)].join("\n"));
}

function waiting({ operation, needed, guardians }: NonNullable<Governed["open"]>[number]): string {
  const short = operation.slice(0, 12);
  return `it waits for ${needed} more of ${guardians.join(", ")}; each backs it with: gdo person back ${short}`;
}

/** A device by its name or the first digits of its key. NOT_FOUND, AMBIGUOUS. */
export function deviceOf({ devices }: Roster, text: string): Device {
  const isKey = /^[0-9a-f]{4,64}$/.test(text);
  const named = devices.filter(({ name, revoked }) => name === text && revoked !== true);
  const found =
    named.length > 0 ? named : devices.filter(({ key, name }) => name === text || (isKey && key.startsWith(text)));
  const [device] = found;
  if (device === undefined) throw new GdoError("NOT_FOUND", `there is no device ${text}`, { hint: "gdo device" });
  if (found.length > 1)
    throw new GdoError(
      "AMBIGUOUS",
      `${text} may be ${found.map(({ name, key }) => `${name} ${key.slice(0, 12)}`).join(" or ")}`,
      {
        hint: "give the first digits of its key: gdo device",
      },
    );
  return device;
}

/** NOT_FOUND for somebody who is not there, or not any more. */
export function personOf({ principals }: Roster, id: string): Person {
  const person = principals.find((each) => each.id === id && each.removed !== true);
  if (person === undefined) throw new GdoError("NOT_FOUND", `there is no person ${id}`, { hint: "gdo person" });
  return person;
}

/** The operation that begins so. NOT_FOUND, AMBIGUOUS. */
export function openOf({ open }: Roster, text: string): OpenOperation {
  const found = open.filter(({ operation }) => operation.startsWith(text));
  const [only] = found;
  if (only === undefined)
    throw new GdoError("NOT_FOUND", `nothing that begins with ${text} waits for ballots`, { hint: "gdo charter" });
  if (found.length > 1)
    throw new GdoError("AMBIGUOUS", `${text} begins several operations`, { hint: "give more digits" });
  return only;
}

/** An argument that this action needs. USAGE. */
export function needed(value: unknown, what: string, command: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new GdoError("USAGE", `${command} needs ${what}`, { hint: `gdo ${command.split(" ")[0]} --help` });
}

/** USAGE for an action that there is none of. */
export function noAction(spec: Pick<CommandSpec, "name">, action: string, actions: readonly string[]): GdoError {
  return new GdoError("USAGE", `gdo ${spec.name} has no ${action}; it has ${actions.join(", ")}`, {
    hint: `gdo ${spec.name} --help`,
  });
}
