/** The policy snapshot that a state compiles to: equal states and times give equal bytes. */
import {
  type CredentialRow,
  encodePolicy,
  type PersonRow,
  type PolicyTimes,
  type TermRow,
  UNTIL_FOREVER,
  UNTIL_REVOKED,
} from "../../../lib/access/index.ts";
import { nameOfKeyPart, type State } from "../../sdk/index.ts";
import { byName, type Grant } from "./state.ts";

const PEOPLE_APP = "membership";
const TRAINING_APP = "certification";

export interface Edition extends PolicyTimes {
  readonly generation: number;
  /** Height of the final merge whose state this is. */
  readonly height: number;
}

interface MemberState {
  readonly level: number;
  readonly status: "active" | "disabled";
}

interface CredentialState {
  readonly person: string;
  readonly status: "active" | "denied";
}

interface CertificateState {
  readonly untilMs?: number;
  readonly revoked?: object;
}

/**
 * The bytes of the snapshot: people, credentials and dues from membership, certificates from certification,
 * grants from here. With `only`, of that person alone.
 */
export async function compilePolicy(state: State, edition: Edition, only?: string): Promise<Uint8Array> {
  const people: PersonRow[] = [];
  for await (const [key, value] of state.scan("person/", PEOPLE_APP)) {
    const { level, status } = value as unknown as MemberState;
    const id = key.slice("person/".length);
    if (only === undefined || id === only) people.push({ id, level, isDisabled: status === "disabled" });
  }
  const credentials: CredentialRow[] = [];
  for await (const [key, value] of only === undefined ? state.scan("credential/", PEOPLE_APP) : []) {
    const { person, status } = value as unknown as CredentialState;
    credentials.push({ ref: key.slice("credential/".length), person, isDenied: status === "denied" });
  }
  const doors = await byName<Grant>(state, "grant/");
  const terms = [...(await memberships(state)), ...(await certificates(state))];
  return encodePolicy({ ...edition, doors, people, credentials, terms });
}

/** Until when dues are paid or waived, the later of both. */
async function memberships(state: State): Promise<TermRow[]> {
  const until = new Map<string, number>();
  for (const kind of ["dues/", "waiver/"]) {
    for await (const [key, value] of state.scan(kind, PEOPLE_APP)) {
      const person = nameOfKeyPart(key.slice(kind.length));
      const { untilMs = UNTIL_FOREVER } = value as { untilMs?: number };
      until.set(person, Math.min(Math.max(until.get(person) ?? 0, untilMs), UNTIL_FOREVER));
    }
  }
  return [...until].map(([person, untilMs]) => ({ person, untilMs }));
}

async function certificates(state: State): Promise<TermRow[]> {
  const rows: TermRow[] = [];
  for await (const [key, value] of state.scan("certificate/", TRAINING_APP)) {
    const [, part = "", course = ""] = key.split("/");
    const { untilMs = UNTIL_FOREVER, revoked } = value as unknown as CertificateState;
    const until = revoked === undefined ? Math.min(untilMs, UNTIL_FOREVER) : UNTIL_REVOKED;
    rows.push({ person: nameOfKeyPart(part), course, untilMs: until });
  }
  return rows;
}
