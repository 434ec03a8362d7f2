/**
 * Tar archives as layers of images: POSIX ustar, with pax records for what has no room there. No times, no
 * owners, names in order: the same image gives the same bytes.
 */
import type { ImageFile, ImageFolder, ImageNode } from "../../dapp/index.ts";
import { checksumOf, TAR_BLOCK_BYTES } from "./tar-header.ts";

const NAME_BYTES_MAX = 100;
/** Eleven octal digits. */
const SIZE_BYTES_MAX = 8 * 1024 ** 3 - 1;
const FOLDER_MODE = 0o755;
const LINK_MODE = 0o777;

/** Content of an image's files, with sizes that are known before. */
export interface TarContent {
  sizeOf(file: ImageFile): number;
  read(file: ImageFile): AsyncIterable<Uint8Array>;
}

export async function* writeTar(root: ImageFolder, content: TarContent): AsyncGenerator<Uint8Array> {
  yield* writeFolder(root, "", content);
  yield new Uint8Array(2 * TAR_BLOCK_BYTES);
}

async function* writeFolder({ entries }: ImageFolder, at: string, content: TarContent): AsyncGenerator<Uint8Array> {
  for (const name of [...entries.keys()].sort(byBytes)) {
    const node = entries.get(name) as ImageNode;
    const path = `${at}${name}`;
    if (node.type === "link") yield* header({ path, flag: "2", mode: LINK_MODE, sizeBytes: 0, target: node.target });
    else if (node.type === "folder") {
      yield* header({ path: `${path}/`, flag: "5", mode: FOLDER_MODE, sizeBytes: 0, target: "" });
      yield* writeFolder(node, `${path}/`, content);
    } else yield* writeFile(path, node, content);
  }
}

async function* writeFile(path: string, file: ImageFile, content: TarContent): AsyncGenerator<Uint8Array> {
  const sizeBytes = content.sizeOf(file);
  yield* header({ path, flag: "0", mode: file.mode, sizeBytes, target: "" });
  yield* content.read(file);
  yield padding(sizeBytes);
}

interface Fields {
  readonly path: string;
  readonly flag: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly target: string;
}

function* header(fields: Fields): Generator<Uint8Array> {
  const records = paxRecords(fields);
  if (records.length > 0) {
    yield block({ path: "pax", flag: "x", mode: 0o644, sizeBytes: records.length, target: "" });
    yield records;
    yield padding(records.length);
  }
  yield block(fields);
}

/** Bytes of a header whose fields are cut to their room; what is cut stands in the pax records. */
function block({ path, flag, mode, sizeBytes, target }: Fields): Uint8Array {
  const bytes = Buffer.alloc(TAR_BLOCK_BYTES);
  Buffer.from(path).copy(bytes, 0, 0, NAME_BYTES_MAX);
  bytes.write(octal(mode, 8), 100, "latin1");
  bytes.write(octal(0, 8), 108, "latin1");
  bytes.write(octal(0, 8), 116, "latin1");
  bytes.write(octal(Math.min(sizeBytes, SIZE_BYTES_MAX), 12), 124, "latin1");
  bytes.write(octal(0, 12), 136, "latin1");
  bytes.write(flag, 156, "latin1");
  Buffer.from(target).copy(bytes, 157, 0, NAME_BYTES_MAX);
  bytes.write("ustar\x0000", 257, "latin1");
  bytes.write(`${checksumOf(bytes).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

function octal(value: number, room: number): string {
  return value.toString(8).padStart(room - 1, "0");
}

function paxRecords({ path, target, sizeBytes }: Fields): Uint8Array {
  const records: string[] = [];
  if (Buffer.byteLength(path) > NAME_BYTES_MAX) records.push(paxRecord("path", path));
  if (Buffer.byteLength(target) > NAME_BYTES_MAX) records.push(paxRecord("linkpath", target));
  if (sizeBytes > SIZE_BYTES_MAX) records.push(paxRecord("size", String(sizeBytes)));
  return Buffer.from(records.join(""));
}

/** "LENGTH KEY=VALUE\n", in which the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let length = restBytes + String(restBytes).length;
  if (String(length).length !== String(restBytes).length) length = restBytes + String(length).length;
  return `${length}${rest}`;
}

function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
