/** Names of a folder's entries: bytes, one path component, nothing that leads elsewhere [T4]. */

const NAME_BYTES_MAX = 255;
const SLASH = 0x2f;

/** What is wrong with a name, or undefined. */
export function nameFault(name: Uint8Array): string | undefined {
  if (name.length === 0) return "is empty";
  if (name.length > NAME_BYTES_MAX) return "is too long";
  if (name.includes(0)) return "has a NUL";
  if (name.includes(SLASH)) return "has a slash";
  const isDots = name.length <= 2 && name.every((byte) => byte === 0x2e);
  return isDots ? "leads elsewhere" : undefined;
}

/** A path as node:fs takes it when it need not be text. */
export function toPath(path: string | Uint8Array): Buffer {
  if (typeof path === "string") return Buffer.from(path);
  return Buffer.from(path.buffer, path.byteOffset, path.length);
}

export function joinPath(folder: Uint8Array, name: Uint8Array): Buffer {
  return folder.length === 0 ? toPath(name) : Buffer.concat([folder, Uint8Array.of(SLASH), name]);
}

/** The names that a path is made of. */
export function namesOf(path: Uint8Array): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    if (end > start) names.push(toPath(path.subarray(start, end)));
    start = end + 1;
  }
  return names;
}

const REPLACED = "\ufffd";

/** A path or name for people: a byte that is not part of UTF-8 is written as \xff. */
export function displayPath(path: Uint8Array): string {
  const text = toPath(path).toString("utf8");
  if (!text.includes(REPLACED)) return text;
  let shown = "";
  for (let at = 0; at < path.length; ) {
    const lengthBytes = characterBytes(path, at);
    const piece = toPath(path.subarray(at, at + Math.max(lengthBytes, 1)));
    shown += lengthBytes === 0 ? `\\x${piece.toString("hex")}` : piece.toString("utf8");
    at += piece.length;
  }
  return shown;
}

/** Length of the UTF-8 character that begins here; 0 when none does. */
function characterBytes(path: Uint8Array, at: number): number {
  const first = path[at] ?? 0;
  const expected = 1 + [0xc0, 0xe0, 0xf0].filter((least) => first >= least).length;
  const piece = toPath(path.subarray(at, at + expected));
  const isWhole = Buffer.compare(Buffer.from(piece.toString("utf8")), piece) === 0;
  return isWhole ? piece.length : 0;
}
