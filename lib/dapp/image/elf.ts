/**
 * The two facts of an ELF file that a root file system needs: its loader and the libraries that it
 * names. Written from the System V ABI; little-endian, 32 and 64 bits. Pure.
 */
import { GdoError } from "../../base/index.ts";

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

export interface ElfNeeds {
  /** Path of the dynamic loader; absent in libraries and static programs. */
  readonly loader: string | undefined;
  /** Names of libraries, as in libc.so.6. */
  readonly libraries: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** IO when the bytes are no little-endian ELF file. */
export function elfNeeds(bytes: Uint8Array): ElfNeeds {
  try {
    return new ElfReader(bytes).needs();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GdoError("IO", "the program is no little-endian ELF file", { cause });
  }
}

class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #is64: boolean;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isElf = this.#view.getUint32(0, false) === 0x7f454c46 && this.#view.getUint8(5) === 1;
    if (!isElf) throw new RangeError("no magic");
    this.#is64 = this.#view.getUint8(4) === 2;
  }

  needs(): ElfNeeds {
    const segments = this.#segments();
    const interp = segments.find(({ type }) => type === PT_INTERP);
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    const entries = dynamic === undefined ? [] : this.#dynamic(dynamic);
    const table = entries.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0;
    const names = entries.filter(([tag]) => tag === DT_NEEDED).map(([, value]) => table + value);
    return {
      loader: interp === undefined ? undefined : this.#text(interp.offset),
      libraries: names.map((address) => this.#text(offsetOf(segments, address))),
    };
  }

  #segments(): Segment[] {
    const first = this.#word(this.#is64 ? 32 : 28);
    const size = this.#view.getUint16(this.#is64 ? 54 : 42, true);
    const count = this.#view.getUint16(this.#is64 ? 56 : 44, true);
    return Array.from({ length: count }, (_, index) => this.#segment(first + index * size));
  }

  #segment(at: number): Segment {
    const type = this.#view.getUint32(at, true);
    const [offset, address, size] = this.#is64 ? [8, 16, 32] : [4, 8, 16];
    return { type, offset: this.#word(at + offset), address: this.#word(at + address), size: this.#word(at + size) };
  }

  #dynamic({ offset, size }: Segment): [tag: number, value: number][] {
    const word = this.#is64 ? 8 : 4;
    return Array.from({ length: size / (2 * word) }, (_, index) => {
      const at = offset + 2 * word * index;
      // A tag's upper half is zero for all that matter here; some vendors' tags do not fit a safe integer.
      return [this.#view.getUint32(at, true), this.#word(at + word)];
    });
  }

  #word(at: number): number {
    return this.#is64 ? Number(this.#view.getBigUint64(at, true)) : this.#view.getUint32(at, true);
  }

  #text(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    if (end === -1) throw new RangeError("unterminated name");
    return Buffer.from(this.#bytes.subarray(at, end)).toString("utf8");
  }
}

function offsetOf(segments: readonly Segment[], address: number): number {
  const segment = segments.find(
    ({ type, address: start, size }) => type === PT_LOAD && address >= start && address < start + size,
  );
  if (segment === undefined) throw new RangeError("address outside of the file");
  return address - segment.address + segment.offset;
}
