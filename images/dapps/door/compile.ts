/** The policy snapshot that a state compiles to: equal states and times give equal bytes. */
import { type CredentialRow, encodePolicy, type PersonRow, type PolicyTimes } from "../../../lib/access/index.ts";
import type { State } from "../../sdk/index.ts";
import { byName, type Grant } from "./state.ts";

const PEOPLE_APP = "membership";

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

/** The bytes of the snapshot: people and credentials from membership, grants from here. */
export async function compilePolicy(state: State, edition: Edition): Promise<Uint8Array> {
  const people: PersonRow[] = [];
  for await (const [key, value] of state.scan("person/", PEOPLE_APP)) {
    const { level, status } = value as unknown as MemberState;
    people.push({ id: key.slice("person/".length), level, isDisabled: status === "disabled" });
  }
  const credentials: CredentialRow[] = [];
  for await (const [key, value] of state.scan("credential/", PEOPLE_APP)) {
    const { person, status } = value as unknown as CredentialState;
    credentials.push({ ref: key.slice("credential/".length), person, isDenied: status === "denied" });
  }
  const doors = await byName<Grant>(state, "grant/");
  return encodePolicy({ ...edition, doors, people, credentials });
}
