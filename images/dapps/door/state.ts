/**
 * What the door dapp keeps.
 *
 *   grant/<door>    {minLevel, graceMs?, certificates?}   who may come in
 *   policy/<id>     {generation, height}            each snapshot that was published
 *   latest          {policy, generation, height, issuer, signature}   the newest of them, ready for doors
 *   count/<door>    {frames, granted, frameErrors, denied: {reason: n}}
 */
import type { DoorRule } from "../../../lib/access/index.ts";
import type { Canonical, Draft, State } from "../../sdk/index.ts";

export type Grant = DoorRule;

export interface Published {
  readonly generation: number;
  readonly height: number;
}

export type Latest = Published & {
  readonly policy: string;
  /** Key of the device that signed it, hex. */
  readonly issuer: string;
  /** Hex; over the snapshot as lib/access signs it. */
  readonly signature: string;
};

export interface Count {
  readonly frames: number;
  readonly granted: number;
  readonly frameErrors: number;
  readonly denied: Readonly<Record<string, number>>;
}

const NO_COUNT: Count = { frames: 0, granted: 0, frameErrors: 0, denied: {} };

export async function latestIn(from: State | Draft): Promise<Latest | undefined> {
  return (await from.get("latest")) as Latest | undefined;
}

export async function publishedIn(from: State, policy: string): Promise<Published | undefined> {
  return (await from.get(`policy/${policy}`)) as Published | undefined;
}

export async function countIn(from: Draft, door: string): Promise<Count> {
  return ((await from.get(`count/${door}`)) as Count | undefined) ?? NO_COUNT;
}

/** Values under a prefix, by what follows it. */
export async function byName<T>(state: State, prefix: string): Promise<Record<string, T>> {
  const found: Record<string, T> = Object.create(null);
  for await (const [key, value] of state.scan(prefix)) found[key.slice(prefix.length)] = value as T & Canonical;
  return found;
}
