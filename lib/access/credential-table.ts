/**
 * The credentials of a snapshot: fixed records in one byte string, sorted by reference and searched in
 * place, so that 240,000 cards cost no objects and a look-up touches 18 records. Pure.
 *
 *   record: reference (16) | index of its person (u32 big-endian) | flags (u8)
 */
import { compareBytes, fromHex, toHex } from "../base/bytes.ts";
import { GdoError } from "../base/errors.ts";
import { REF_BYTES } from "./credential.ts";

const PERSON_AT = REF_BYTES;
const FLAGS_AT = PERSON_AT + 4;
export const CREDENTIAL_RECORD_BYTES = FLAGS_AT + 1;

const FLAG_DENIED = 1;
const FLAG_EMERGENCY = 2;
const FLAGS_KNOWN = FLAG_DENIED | FLAG_EMERGENCY;

/** One credential as the compiler of a snapshot gives it. */
export interface CredentialRow {
  /** 32 hex digits. */
  readonly ref: string;
  readonly person: string;
  /** The card itself is refused, whoever holds it. */
  readonly isDenied?: boolean;
  /** Still opens after the snapshot's hard expiry, always with an alarm. */
  readonly isEmergency?: boolean;
}

export interface CredentialRecord {
  readonly personIndex: number;
  readonly isDenied: boolean;
  readonly isEmergency: boolean;
}

/** Packs rows in order of reference. INPUT_INVALID on a malformed or repeated reference or an unknown person. */
export function packCredentials(
  rows: readonly CredentialRow[],
  personIndex: (id: string) => number | undefined,
): Uint8Array {
  const sorted = rows.toSorted((a, b) => (a.ref < b.ref ? -1 : Number(a.ref > b.ref)));
  const bytes = new Uint8Array(sorted.length * CREDENTIAL_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, row] of sorted.entries()) {
    const ref = fromHex(row.ref);
    const person = personIndex(row.person);
    if (ref?.length !== REF_BYTES) throw new GdoError("INPUT_INVALID", "a credential reference has 32 hex digits");
    if (person === undefined)
      throw new GdoError("INPUT_INVALID", `credential ${row.ref} names an unknown person: ${row.person}`);
    if (sorted[index + 1]?.ref === row.ref) throw new GdoError("INPUT_INVALID", `credential ${row.ref} stands twice`);
    const at = index * CREDENTIAL_RECORD_BYTES;
    bytes.set(ref, at);
    view.setUint32(at + PERSON_AT, person);
    bytes[at + FLAGS_AT] = (row.isDenied ? FLAG_DENIED : 0) | (row.isEmergency ? FLAG_EMERGENCY : 0);
  }
  return bytes;
}

/** A read-only view on packed records. */
export class CredentialTable {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly size: number;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = bytes.length / CREDENTIAL_RECORD_BYTES;
  }

  /** Checks every record, since look-ups rely on the order; POLICY_INVALID says which one is wrong. */
  static of(bytes: Uint8Array, peopleCount: number): CredentialTable {
    if (bytes.length % CREDENTIAL_RECORD_BYTES !== 0)
      throw new GdoError("POLICY_INVALID", "the credential table is cut short");
    const table = new CredentialTable(bytes);
    for (let index = 0; index < table.size; index += 1) {
      const isSound = table.#recordIsKnown(index, peopleCount) && (index === 0 || table.#isBefore(index - 1, index));
      if (!isSound) throw new GdoError("POLICY_INVALID", `credential record ${index} is malformed or out of order`);
    }
    return table;
  }

  #recordIsKnown(index: number, peopleCount: number): boolean {
    const at = index * CREDENTIAL_RECORD_BYTES;
    return this.#view.getUint32(at + PERSON_AT) < peopleCount && this.#view.getUint8(at + FLAGS_AT) <= FLAGS_KNOWN;
  }

  #isBefore(first: number, second: number): boolean {
    return compareBytes(this.#refAt(first), this.#refAt(second)) < 0;
  }

  #refAt(index: number): Uint8Array {
    const at = index * CREDENTIAL_RECORD_BYTES;
    return this.#bytes.subarray(at, at + REF_BYTES);
  }

  /** Binary search; undefined when the reference is not there (or is no reference). */
  find(ref: string): CredentialRecord | undefined {
    const wanted = fromHex(ref);
    if (wanted?.length !== REF_BYTES) return undefined;
    let low = 0;
    let high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareBytes(this.#refAt(middle), wanted);
      if (order === 0) return this.#recordAt(middle);
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #recordAt(index: number): CredentialRecord {
    const at = index * CREDENTIAL_RECORD_BYTES;
    const flags = this.#view.getUint8(at + FLAGS_AT);
    const personIndex = this.#view.getUint32(at + PERSON_AT);
    return { personIndex, isDenied: (flags & FLAG_DENIED) !== 0, isEmergency: (flags & FLAG_EMERGENCY) !== 0 };
  }

  /** The rows again, for whoever lists or compares snapshots; not for deciding. */
  *rows(personId: (index: number) => string): Generator<CredentialRow> {
    for (let index = 0; index < this.size; index += 1) {
      const { personIndex, ...flags } = this.#recordAt(index);
      yield { ref: toHex(this.#refAt(index)), person: personId(personIndex), ...flags };
    }
  }
}
