/** What a dapp is given and what it answers, as the SDK hands it on. Rules: docs/design/dapps.md. */
import type { Canonical } from "../../lib/codec/canonical.ts";

export type { Canonical };

/** One entry of this dapp. */
export interface Entry {
  /** 64 hex digits. */
  readonly id: string;
  /** Place in the merge, by which entries and events mix. */
  readonly at: number;
  /** The device's public key, 64 hex digits, and who it belongs to. */
  readonly author: string;
  readonly principal: string;
  readonly rights: readonly string[];
  /** The device's wall clock, ms since 1970: advice, never authority [L5]. */
  readonly timeMs: number;
  readonly acts: readonly Act[];
}

/** What a dapp that this one reads made of one of its entries. */
export interface DappEvent {
  readonly app: string;
  readonly entry: string;
  readonly at: number;
  readonly event: Canonical;
}

export interface Input {
  readonly height: number;
  /** 64 hex digits, this dapp's in this merge and the same on every node: where a dapp takes chance from [D3]. */
  readonly seed: string;
  /** In the ledger's order. */
  readonly entries: readonly Entry[];
  readonly events: readonly DappEvent[];
}

/** State as of one ledger position: this dapp's own where no app is named. */
export interface State {
  get(key: string, app?: string): Promise<Canonical | undefined>;
  /** In the byte order of the keys. */
  scan(prefix: string, app?: string): AsyncIterable<readonly [string, Canonical]>;
  /** Content by its id (hex). Rejects when this node does not hold it: the call is then an ERROR, not a FAIL. */
  blob(id: string): Promise<Uint8Array>;
}

export interface Outcome {
  readonly id: string;
  /** Why the entry has no effect. */
  readonly void?: string;
  readonly events?: readonly Canonical[];
}

export interface Reduction {
  /** One for each entry. */
  readonly outcomes: readonly Outcome[];
  /** A key and its new value; undefined deletes. */
  readonly changes: readonly (readonly [key: string, value: Canonical | undefined])[];
}

/** Numbers of forms, as the manifests have them. */
export interface Migration {
  readonly from: number;
  readonly to: number;
}

export type Verdict = { readonly verdict: "PASS" } | { readonly verdict: "FAIL"; readonly findings: readonly string[] };

export type Query = (args: Canonical, state: State) => Promise<Canonical>;

/** Who gives a command, and by what they showed that it is they. */
export interface Actor {
  readonly principal: string;
  /** Key of the device that asks, 64 hex digits. */
  readonly author: string;
  readonly rights: readonly string[];
  readonly shown: "key" | "card" | "pin";
  /** The asking device's wall clock, ms since 1970. */
  readonly timeMs: number;
}

export type Act = readonly [type: string, body: Canonical];

/** Acts to append for who asks; throws a Refusal with the reason. Arguments fit the command's schema. */
export type Command<Args = Canonical> = (args: Args, state: State, actor: Actor) => Promise<readonly Act[]>;

/** A dapp: a few functions of their arguments, nothing else [D3]. `Commands` are made from its schemas. */
export interface Dapp<Commands = Readonly<Record<string, Canonical>>> {
  reduce(input: Input, state: State): Promise<Reduction>;
  /** `input.entries` are those that were not void. */
  test?(input: Input, before: State, after: State): Promise<Verdict>;
  /** Changes that bring a state of one form into another; one of the two is this image's, the higher. Throw if there is no way. */
  migrate?(step: Migration, state: State): Promise<Reduction["changes"]>;
  readonly queries?: Readonly<Record<string, Query>>;
  readonly commands?: { readonly [Name in keyof Commands]: Command<Commands[Name]> };
}
