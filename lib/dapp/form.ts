/**
 * The form of a dapp's state: a number in its manifest. A state of another form is moved before an image of
 * this one sees it [D9]; which form it has, and which image knows that form, stands in the state itself, so
 * that every node and every branch comes to the same. Rules: docs/design/dapps.md.
 */
import { GdoError, type Hash, isHash } from "../base/index.ts";
import type { Canonical, CanonicalMap } from "../codec/index.ts";
import {
  type Act,
  type AppInput,
  type AppVerdict,
  OverlayState,
  type ReduceResult,
  type StateChange,
  type StateView,
} from "../ledger/index.ts";
import type { Command, DappCalls, DappState, TestStates } from "./calls.ts";
import type { Manifest } from "./manifest.ts";

/** Written by the host alone; absent of the first form. */
export const FORM_KEY = "gdo.form";
const FORM_FIRST = 1;
const NO_IMAGE = "0".repeat(64) as Hash;

interface StateForm {
  readonly form: number;
  /** An image whose form this is; undefined of the first. */
  readonly image?: Hash;
}

function formOf(state: DappState, app: string): StateForm {
  const mark = state.get(app, FORM_KEY) as CanonicalMap | undefined;
  if (mark === undefined) return { form: FORM_FIRST };
  const { form, image } = mark;
  if (typeof form !== "number" || typeof image !== "string" || !isHash(image))
    throw new GdoError("DAPP_ERROR", `${app}: ${FORM_KEY} of its state is malformed`);
  return { form, image };
}

/** The image that a state of this dapp may have to be moved by. */
export function imageOfForm(state: StateView): Hash | undefined {
  const image = (state.get(FORM_KEY) as CanonicalMap | undefined)?.["image"];
  return typeof image === "string" && isHash(image) ? image : undefined;
}

function isEmpty(state: DappState, app: string): boolean {
  for (const _ of state.scan(app, "")) return false;
  return true;
}

/** Whether an image of this form must have the state moved first. One with nothing in it is of any form. */
function isOfOtherForm({ name, form }: Pick<Manifest, "name" | "form">, state: DappState): boolean {
  const now = formOf(state, name);
  return now.form !== form && (now.image !== undefined || !isEmpty(state, name)); // A look at all of it only then.
}

/** What the host adds when an image changes a state: nothing where the mark is right already. */
function markOf({ name, form }: Pick<Manifest, "name" | "form">, image: Hash, state: DappState): StateChange[] {
  if (formOf(state, name).form === form) return [];
  return [[FORM_KEY, form === FORM_FIRST ? undefined : { form, image }]];
}

/** The mark of a state made by hand. */
export function markByHand(form: number): Readonly<Record<string, Canonical>> {
  return form === FORM_FIRST ? {} : { [FORM_KEY]: { form, image: NO_IMAGE } };
}

/** DAPP_ERROR for a dapp that says itself what only its host knows. */
export function requireUnmarked(app: string, changes: readonly StateChange[]): void {
  if (changes.some(([key]) => key === FORM_KEY))
    throw new GdoError("DAPP_ERROR", `${app}: the key ${FORM_KEY} is its host's`);
}

/** The states with changes to one dapp's. */
function withChanges(state: DappState, app: string, changes: readonly StateChange[]): DappState {
  const under: StateView = { get: (key) => state.get(app, key), scan: (prefix) => state.scan(app, prefix) };
  const over = new OverlayState(under, changes);
  return {
    get: (name, key) => (name === app ? over.get(key) : state.get(name, key)),
    scan: (name, prefix) => (name === app ? over.scan(prefix) : state.scan(name, prefix)),
    bytes: (name) => (name === app ? undefined : state.bytes?.(name)),
    blob: (id) => state.blob(id),
  };
}

/** From one form of a state to another; the higher of both is that of the image that is asked. */
export interface Migration {
  readonly from: number;
  readonly to: number;
}

/** A dapp that takes states as they are. */
export interface AnyForm extends Omit<DappCalls, "isDue"> {
  readonly tree: Hash;
  readonly manifest: Manifest;
  /** The changes that move a state. DAPP_ERROR from a program that has no way. */
  migrate(step: Migration, state: DappState): Promise<readonly StateChange[]>;
}

/** [D9] A dapp that is given its state in its own image's form alone, whichever image has written it. */
export class DappInForm implements DappCalls {
  readonly manifest: Manifest;
  readonly #dapp: AnyForm;
  readonly #image: (tree: Hash) => Promise<AnyForm>;

  /** `image` opens another one: that of a state whose form is higher. */
  constructor(dapp: AnyForm, image: (tree: Hash) => Promise<AnyForm>) {
    this.manifest = dapp.manifest;
    this.#dapp = dapp;
    this.#image = image;
  }

  isDue(state: DappState): boolean {
    return isOfOtherForm(this.manifest, state);
  }

  async reduce(input: AppInput, before: DappState): Promise<ReduceResult> {
    const { state, moved } = await this.#inForm(before);
    const result = await this.#dapp.reduce(input, state);
    const isTouched = moved !== undefined || result.changes.length > 0;
    const mark = isTouched ? markOf(this.manifest, this.#dapp.tree, before) : [];
    return { ...result, changes: [...(moved ?? []), ...result.changes, ...mark] };
  }

  async test(input: AppInput, { before, after }: TestStates): Promise<AppVerdict> {
    const states = { before: await this.#inForm(before), after: await this.#inForm(after) };
    return this.#dapp.test(input, { before: states.before.state, after: states.after.state });
  }

  async query(name: string, args: Canonical, state: DappState): Promise<Canonical> {
    return this.#dapp.query(name, args, (await this.#inForm(state)).state);
  }

  async command(command: Command, state: DappState): Promise<readonly Act[]> {
    return this.#dapp.command(command, (await this.#inForm(state)).state);
  }

  /** `moved` is what that took, undefined where it was of this form. */
  async #inForm(state: DappState): Promise<{ state: DappState; moved?: readonly StateChange[] }> {
    const { name, form: to } = this.manifest;
    if (!isOfOtherForm(this.manifest, state)) return { state };
    const { form: from, image } = formOf(state, name);
    const mover = from < to || image === undefined ? this.#dapp : await this.#image(image);
    const moved = await mover.migrate({ from, to }, state);
    return { state: withChanges(state, name, moved), moved };
  }
}
