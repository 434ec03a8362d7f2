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

/** A path or name for people: bytes that are not UTF-8 become a replacement character. */
export function displayPath(path: Uint8Array): string {
  return toPath(path).toString("utf8");
}
