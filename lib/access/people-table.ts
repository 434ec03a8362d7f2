/**
 * The people of a snapshot: fixed records and their ids in two byte strings. A door needs a level, a
 * switch and a reference to log; names and addresses stay with the membership dapp. Pure.
 *
 *   record: end of the id in the id bytes (u32 big-endian) | level (i8) | flags (u8)
 */
import { compareBytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { GdoError } from "../base/errors.ts";

const LEVEL_AT = 4;
const FLAGS_AT = 5;
const PERSON_RECORD_BYTES = 6;
const FLAG_DISABLED = 1;
const LEVEL_MIN = -128;
const LEVEL_MAX = 127;
const PERSON_ID_BYTES_MAX = 64;
const UTF8_TAIL_MASK = 0xc0;
const UTF8_TAIL = 0x80;

/** doorbot's levels are used as they are: -2 pending, -1 none, 0 user, 1 trainer to 4 admin. */
export interface PersonRow {
  readonly id: string;
  readonly level: number;
  readonly isDisabled?: boolean;
}

export interface PackedPeople {
  readonly records: Uint8Array;
  readonly ids: Uint8Array;
  /** In order of record. */
  readonly order: readonly string[];
}

function checkPerson({ id, level }: PersonRow, idBytes: Uint8Array): void {
  const isIdSound = idBytes.length > 0 && idBytes.length <= PERSON_ID_BYTES_MAX;
  if (!isIdSound) throw new GdoError("INPUT_INVALID", `a person's id has 1 to ${PERSON_ID_BYTES_MAX} bytes: ${id}`);
  const isLevelSound = Number.isInteger(level) && level >= LEVEL_MIN && level <= LEVEL_MAX;
  if (!isLevelSound) throw new GdoError("INPUT_INVALID", `level of ${id} is no small integer: ${level}`);
}

/** Packs people in the byte order of their ids; INPUT_INVALID on a repeated id or a level out of range. */
export function packPeople(rows: readonly PersonRow[]): PackedPeople {
  const people = rows.map((row) => ({ row, idBytes: utf8(row.id) }));
  people.sort((a, b) => compareBytes(a.idBytes, b.idBytes));
  const records = new Uint8Array(people.length * PERSON_RECORD_BYTES);
  const view = new DataView(records.buffer);
  const ids = new Uint8Array(people.reduce((sum, { idBytes }) => sum + idBytes.length, 0));
  let end = 0;
  for (const [index, { row, idBytes }] of people.entries()) {
    checkPerson(row, idBytes);
    if (people[index + 1]?.row.id === row.id) throw new GdoError("INPUT_INVALID", `person ${row.id} stands twice`);
    ids.set(idBytes, end);
    end += idBytes.length;
    const at = index * PERSON_RECORD_BYTES;
    view.setUint32(at, end);
    view.setInt8(at + LEVEL_AT, row.level);
    view.setUint8(at + FLAGS_AT, row.isDisabled ? FLAG_DISABLED : 0);
  }
  return { records, ids, order: people.map(({ row }) => row.id) };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    fromUtf8(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A read-only view on packed people. */
export class PeopleTable {
  readonly #view: DataView;
  readonly #ids: Uint8Array;
  readonly size: number;

  /** POLICY_INVALID when the records do not fit the ids. */
  constructor(records: Uint8Array, ids: Uint8Array) {
    this.#view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    this.#ids = ids;
    this.size = records.length / PERSON_RECORD_BYTES;
    if (!this.#isSound()) throw new GdoError("POLICY_INVALID", "the table of people is malformed");
  }

  #isSound(): boolean {
    if (!Number.isInteger(this.size) || this.#endOf(this.size - 1) !== this.#ids.length) return false;
    for (let index = 0; index < this.size; index += 1) {
      if (!this.#isRecordSound(index)) return false;
    }
    return isUtf8(this.#ids);
  }

  #isRecordSound(index: number): boolean {
    const start = this.#endOf(index - 1);
    const length = this.#endOf(index) - start;
    const flags = this.#view.getUint8(index * PERSON_RECORD_BYTES + FLAGS_AT);
    const isSplit = ((this.#ids[start] ?? 0) & UTF8_TAIL_MASK) === UTF8_TAIL; // An id starts inside a character.
    return length >= 1 && length <= PERSON_ID_BYTES_MAX && flags <= FLAG_DISABLED && !isSplit;
  }

  #endOf(index: number): number {
    return index < 0 ? 0 : this.#view.getUint32(index * PERSON_RECORD_BYTES);
  }

  /** Throws RangeError beyond the last. */
  at(index: number): Required<PersonRow> {
    const record = index * PERSON_RECORD_BYTES;
    return {
      id: fromUtf8(this.#ids.subarray(this.#endOf(index - 1), this.#endOf(index))),
      level: this.#view.getInt8(record + LEVEL_AT),
      isDisabled: this.#view.getUint8(record + FLAGS_AT) === FLAG_DISABLED,
    };
  }
}
