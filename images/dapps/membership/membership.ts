/**
 * People, their levels and the credentials that they hold. The right "members" is needed for every act.
 *
 *   person/<id>       {name, level, status: active | disabled}
 *   credential/<ref>  {person, status: active | denied, note?}
 *   dues/<person>, waiver/<person>: see dues.ts
 *
 * A reference is a keyed hash of a card, never a number [A6]. People are not removed, so a credential's
 * person is always there; one credential belongs to one person.
 */
import {
  type Canonical,
  commandsOf,
  type Dapp,
  type Draft,
  type Entry,
  fold,
  type Handler,
  type Input,
  integer,
  matching,
  oneOf,
  optional,
  Refusal,
  readFields,
  requireRight,
  type State,
  text,
  type Verdict,
} from "../../sdk/index.ts";
import { endWaiver, queryStanding, takeEvent, waiveDues } from "./dues.ts";
import { ID_BYTES_MAX, type Person, personId, personIn } from "./people.ts";

const RIGHT = "members";
/** As the policy snapshot carries them. */
const LEVEL_MIN = -128;
const LEVEL_MAX = 127;
const LIST_ITEMS_MAX = 500;

const reference = matching(/^[0-9a-f]{32}$/, "a reference of 32 hex digits");
const personStatus = oneOf("active", "disabled");
const credentialStatus = oneOf("active", "denied");

type Credential = { person: string; status: "active" | "denied"; note?: string };

async function credentialIn(from: State | Draft, ref: string): Promise<Credential | undefined> {
  return (await from.get(`credential/${ref}`)) as Credential | undefined;
}

async function putPerson(body: Canonical, draft: Draft): Promise<void> {
  const checks = { id: personId, name: text(200), level: integer(LEVEL_MIN, LEVEL_MAX), status: personStatus };
  const { id, ...person } = readFields(body, checks);
  draft.put(`person/${id}`, person);
  draft.emit({ type: "person", id, level: person.level, status: person.status });
}

async function setStatus(body: Canonical, draft: Draft): Promise<void> {
  const { id, status } = readFields(body, { id: personId, status: personStatus });
  const person = await personIn(draft, id);
  if (person === undefined) throw new Refusal(`there is no person ${id}`);
  draft.put(`person/${id}`, { ...person, status });
  draft.emit({ type: "person", id, level: person.level, status });
}

async function putCredential(body: Canonical, draft: Draft): Promise<void> {
  const checks = { ref: reference, person: personId, status: credentialStatus, note: optional(text(200)) };
  const { ref, ...credential } = readFields(body, checks);
  if ((await personIn(draft, credential.person)) === undefined) {
    throw new Refusal(`there is no person ${credential.person}`);
  }
  const known = await credentialIn(draft, ref);
  if (known !== undefined && known.person !== credential.person) {
    throw new Refusal(`credential ${ref} is ${known.person}'s: revoke it first`);
  }
  draft.put(`credential/${ref}`, credential as Canonical);
  draft.emit({ type: "credential", ref, person: credential.person, status: credential.status });
}

async function revokeCredential(body: Canonical, draft: Draft): Promise<void> {
  const { ref } = readFields(body, { ref: reference });
  const known = await credentialIn(draft, ref);
  if (known === undefined) throw new Refusal(`there is no credential ${ref}`);
  draft.delete(`credential/${ref}`);
  draft.emit({ type: "credential.revoked", ref, person: known.person });
}

type Act = (body: Canonical, draft: Draft) => Promise<void>;

const acts: Readonly<Record<string, Act>> = {
  "person.put": putPerson,
  "person.status": setStatus,
  "credential.put": putCredential,
  "credential.revoke": revokeCredential,
  "dues.waive": waiveDues,
  "dues.waive.end": endWaiver,
};

function byMembers(act: Act): Handler {
  return (body, draft, entry: Entry) => {
    requireRight(entry, RIGHT);
    return act(body, draft);
  };
}

const handlers: Readonly<Record<string, Handler>> = Object.fromEntries(
  Object.entries(acts).map(([type, act]) => [type, byMembers(act)]),
);

/** Each credential that an entry touched belongs to somebody who is there, and to nobody else than before. */
async function test(input: Input, before: State, after: State): Promise<Verdict> {
  const findings: string[] = [];
  const revoked = new Set<string>();
  for (const { id, acts } of input.entries) {
    for (const [type, body] of acts) {
      if (!type.startsWith("credential.")) continue;
      const { ref } = body as { ref: string };
      if (type === "credential.revoke") revoked.add(ref);
      const credential = await credentialIn(after, ref);
      if (credential === undefined) continue;
      const person = await personIn(after, credential.person);
      if (person === undefined) findings.push(`entry ${id}: credential ${ref} is of nobody`);
      const earlier = await credentialIn(before, ref);
      const hasMoved = earlier !== undefined && earlier.person !== credential.person && !revoked.has(ref);
      if (hasMoved)
        findings.push(`entry ${id}: credential ${ref} passed from ${earlier.person} to ${credential.person}`);
    }
  }
  return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings };
}

async function queryPerson(args: Canonical, state: State): Promise<Canonical> {
  const { id } = readFields(args, { id: personId });
  const person = await personIn(state, id);
  if (person === undefined) return null;
  const credentials: Canonical[] = [];
  for await (const [key, value] of state.scan("credential/")) {
    const { person: holder, status } = value as Credential;
    if (holder === id) credentials.push({ ref: key.slice("credential/".length), status });
  }
  return { id, ...person, credentials };
}

async function queryCard(args: Canonical, state: State): Promise<Canonical> {
  const { ref } = readFields(args, { ref: reference });
  const credential = await credentialIn(state, ref);
  if (credential === undefined) return null;
  const person = await personIn(state, credential.person);
  return { ref, ...credential, person: { id: credential.person, ...person } } as Canonical;
}

async function queryList(args: Canonical, state: State): Promise<Canonical> {
  const checks = { after: optional(text(ID_BYTES_MAX)), limit: optional(integer(1, LIST_ITEMS_MAX)) };
  const { after, limit = LIST_ITEMS_MAX } = readFields(args ?? {}, checks);
  const people: Canonical[] = [];
  for await (const [key, person] of state.scan("person/")) {
    const id = key.slice("person/".length);
    if (after !== undefined && Buffer.compare(Buffer.from(id), Buffer.from(after)) <= 0) continue;
    people.push({ id, ...(person as Person) });
    if (people.length === limit) break;
  }
  return people;
}

async function queryCount(_: Canonical, state: State): Promise<Canonical> {
  let people = 0;
  const credentials = { active: 0, denied: 0 };
  for await (const _person of state.scan("person/")) people += 1;
  for await (const [, value] of state.scan("credential/")) credentials[(value as Credential).status] += 1;
  return { people, credentials };
}

export const membership: Dapp = {
  reduce: (input, state) => fold(input, state, handlers, takeEvent),
  test,
  commands: commandsOf(handlers),
  queries: { standing: queryStanding, person: queryPerson, card: queryCard, list: queryList, count: queryCount },
};
