/** Members of a tar archive, one after the other, in bounded memory. */
import { GdoError } from "../../base/index.ts";
import { ByteReader } from "./byte-reader.ts";
import {
  parsePax,
  parseTarHeader,
  TAR_BLOCK_BYTES,
  type TarHeader,
  type TarKind,
  tarFault,
  tarKind,
  textOf,
} from "./tar-header.ts";

/** Long names and pax records of one member. */
const RECORDS_BYTES_MAX = 1024 * 1024;
/** Tools fill their last block, of 10 KiB by custom, with zeros. */
const AFTER_END_BYTES_MAX = 1024 * 1024;

export interface TarMember {
  readonly path: string;
  readonly kind: TarKind;
  readonly mode: number;
  /** Of a file. */
  readonly sizeBytes: number;
  /** Of a link of either kind. */
  readonly target: string;
  /** Where its content begins in the archive. */
  readonly offset: number;
  /** To be read before the next member is asked for; what is not read is passed over. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface TarLimits {
  /** Members of one archive. */
  readonly members: number;
  /** Content of one archive. */
  readonly bytes: number;
}

/** INPUT_INVALID for what is no tar archive, ends too early, or goes beyond a limit: told before anything is read. */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<TarMember> {
  const reader = new TarReader(source);
  let [members, bytes] = [0, 0];
  try {
    for (let member = await reader.next(); member !== undefined; member = await reader.next()) {
      members += 1;
      bytes += member.sizeBytes;
      if (members > limits.members) throw tooMuch(`more than ${limits.members} files`);
      if (bytes > limits.bytes) throw tooMuch(`more than ${limits.bytes} bytes`);
      yield member;
      await reader.pass();
    }
    await reader.end();
  } finally {
    await reader.close();
  }
}

function tooMuch(what: string): GdoError {
  return new GdoError("INPUT_INVALID", `an archive would unpack to ${what}`);
}

/** What records before a header say of the member: they go before what the header says. */
interface Said {
  readonly path?: string;
  readonly target?: string;
  readonly sizeBytes?: number;
}

class TarReader {
  readonly #reader: ByteReader;
  #offset = 0;
  /** Content of the member that was given last, and what fills its last block. */
  #left = 0;
  #padding = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#reader = new ByteReader(source);
  }

  async next(): Promise<TarMember | undefined> {
    let said: Said = {};
    for (;;) {
      const block = await this.#reader.read(TAR_BLOCK_BYTES);
      if (block.length === 0) return undefined; // Some tools leave out the blocks of zeros at the end.
      this.#offset += TAR_BLOCK_BYTES;
      const header = parseTarHeader(block);
      if (header === undefined) return undefined;
      if (!"LKxg".includes(header.flag)) return this.#member(header, said);
      const bytes = await this.#records(header);
      if (header.flag === "L") said = { ...said, path: withoutEnd(bytes) };
      else if (header.flag === "K") said = { ...said, target: withoutEnd(bytes) };
      else if (header.flag === "x") said = { ...said, ...saidByPax(bytes) };
    }
  }

  /** Passes over what was not read of the last member. */
  async pass(): Promise<void> {
    const [left, padding] = [this.#left, this.#padding];
    [this.#left, this.#padding] = [0, 0];
    if (!(await this.#reader.skip(left))) throw tarFault("it ends within a file");
    await this.#reader.skip(padding); // umoci insert ends without it.
  }

  async end(): Promise<void> {
    if (!(await this.#reader.drain(AFTER_END_BYTES_MAX))) throw tarFault("it goes on after its end");
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  #member(header: TarHeader, said: Said): TarMember {
    const path = said.path ?? header.path;
    if (header.flag === "S") throw tarFault(`${path} is kept with holes, which no image format has`);
    const kind = tarKind(header.flag, path);
    const sizeBytes = said.sizeBytes ?? header.sizeBytes;
    // Links, devices and folders have no content, whatever size some tools write.
    const contentBytes = kind === "folder" || "123456".includes(header.flag) ? 0 : sizeBytes;
    const offset = this.#offset;
    this.#left = contentBytes;
    this.#padding = paddingOf(contentBytes);
    this.#offset += contentBytes + this.#padding;
    const { mode } = header;
    const target = said.target ?? header.target;
    return { path, kind, mode, sizeBytes: contentBytes, target, offset, content: this.#content() };
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#reader.pieces(this.#left)) {
      this.#left -= piece.length;
      yield piece;
    }
    if (this.#left > 0) throw tarFault("it ends within a file");
  }

  async #records({ sizeBytes }: TarHeader): Promise<Uint8Array> {
    if (sizeBytes > RECORDS_BYTES_MAX) throw tarFault("a name is longer than 1 MiB");
    const bytes = await this.#reader.read(sizeBytes);
    const isWhole = bytes.length === sizeBytes && (await this.#reader.skip(paddingOf(sizeBytes)));
    if (!isWhole) throw tarFault("it ends within a name");
    this.#offset += sizeBytes + paddingOf(sizeBytes);
    return bytes;
  }
}

function paddingOf(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function withoutEnd(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return textOf(end < 0 ? bytes : bytes.subarray(0, end));
}

function saidByPax(bytes: Uint8Array): Said {
  const records = parsePax(bytes);
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw tarFault("a file is kept with holes, which no image format has");
  }
  const [path, target, size] = ["path", "linkpath", "size"].map((key) => records.get(key));
  if (size !== undefined && !/^[0-9]{1,15}$/.test(size)) throw tarFault("a size is no number");
  return {
    ...(path === undefined ? {} : { path }),
    ...(target === undefined ? {} : { target }),
    ...(size === undefined ? {} : { sizeBytes: Number(size) }),
  };
}
