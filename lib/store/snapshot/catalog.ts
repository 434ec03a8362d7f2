/**
 * The snapshots that are kept, each a ref: refs/snapshots/NAME/TIME-ID, whose bytes hash to ID [T5]. A
 * flipped bit in one is found and told, and harms no other.
 */
import { GdoError, type Hash } from "../../base/index.ts";
import { assertPrefix } from "../prefix.ts";
import { assertRefName, isRefName, type Refs } from "../refs.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot, snapshotId } from "./snapshot.ts";

const FOLDER = "snapshots";
const REF = /^(\d{15})-([0-9a-f]{64})$/;
const TIME_DIGITS = 15;
const IDS_SHOWN_MAX = 4;

export interface KeptSnapshot extends Snapshot {
  readonly name: string;
  readonly id: Hash;
}

/** A ref that is not what it was. */
export interface DamagedRef {
  readonly path: string;
  readonly why: string;
}

export class SnapshotCatalog {
  readonly #refs: Refs;

  constructor(refs: Refs) {
    this.#refs = refs;
  }

  /** Throws INPUT_INVALID on what names no series of snapshots. */
  static assertName(name: string): void {
    assertRefName(name, "snapshots");
  }

  /** Names under which something is kept. */
  async names(): Promise<string[]> {
    return (await this.#refs.list(FOLDER)).filter((name) => isRefName(name));
  }

  /** The snapshots of a name, oldest first. Damaged ones are told and left out. */
  async list(name: string, onDamaged: (ref: DamagedRef) => void = () => {}): Promise<KeptSnapshot[]> {
    SnapshotCatalog.assertName(name);
    const kept: KeptSnapshot[] = [];
    for (const ref of await this.#refs.list(FOLDER, name)) {
      const found = await this.#read(name, ref);
      if (typeof found === "string") onDamaged({ path: this.#refs.pathOf(FOLDER, name, ref), why: found });
      else kept.push(found);
    }
    return kept;
  }

  /** All snapshots of all names. */
  async all(onDamaged: (ref: DamagedRef) => void = () => {}): Promise<KeptSnapshot[]> {
    const kept: KeptSnapshot[] = [];
    for (const name of await this.names()) kept.push(...(await this.list(name, onDamaged)));
    return kept;
  }

  /** Keeps a snapshot. What it needs must be durable already [T8]. */
  async add(name: string, snapshot: Snapshot): Promise<Hash> {
    SnapshotCatalog.assertName(name);
    const bytes = encodeSnapshot(snapshot);
    const id = snapshotId(bytes);
    await this.#refs.write([FOLDER, name], refOf(snapshot, id), bytes);
    return id;
  }

  async remove(snapshot: KeptSnapshot): Promise<void> {
    await this.#refs.remove([FOLDER, snapshot.name], refOf(snapshot, snapshot.id));
  }

  /** What `NAME` (its newest) or `NAME@ID` says; the id may be shortened. NOT_FOUND, AMBIGUOUS, INPUT_INVALID. */
  async resolve(text: string): Promise<KeptSnapshot> {
    const [name = "", prefix] = text.split("@", 2);
    const damaged: DamagedRef[] = [];
    const kept = await this.list(name, (ref) => damaged.push(ref));
    if (prefix !== undefined) assertPrefix(prefix);
    const found = prefix === undefined ? kept.slice(-1) : kept.filter(({ id }) => id.startsWith(prefix));
    const [first] = found;
    if (first === undefined) throw notFound(text, prefix, damaged);
    if (found.length === 1) return first;
    const some = found.slice(0, IDS_SHOWN_MAX).map(({ id }) => id);
    throw new GdoError("AMBIGUOUS", `${text} begins ${found.length} ids: ${some.join(", ")}`, {
      hint: "give more digits",
    });
  }

  async #read(name: string, ref: string): Promise<KeptSnapshot | string> {
    const [, time = "", id = ""] = REF.exec(ref) ?? [];
    if (id === "") return "its name is no snapshot's";
    const bytes = await this.#refs.read(FOLDER, name, ref);
    if (snapshotId(bytes) !== id) return "its content is not what its name says";
    try {
      const snapshot = decodeSnapshot(bytes);
      if (snapshot.timeMs !== Number(time)) return "its time is not what its name says";
      return { ...snapshot, name, id: id as Hash };
    } catch (error) {
      if (error instanceof GdoError) return error.message; // Of a later version.
      throw error;
    }
  }
}

function refOf({ timeMs }: Snapshot, id: Hash): string {
  return `${String(timeMs).padStart(TIME_DIGITS, "0")}-${id}`;
}

function notFound(text: string, prefix: string | undefined, [damaged]: readonly DamagedRef[]): GdoError {
  if (damaged !== undefined) return new GdoError("STORE_CORRUPT", `${damaged.path} is damaged: ${damaged.why}`);
  const what = prefix === undefined ? `nothing is kept under ${text}` : `no snapshot is ${text}`;
  return new GdoError("NOT_FOUND", what, { hint: "gdo snapshots" });
}
