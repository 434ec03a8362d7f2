/** Names as parts of state keys. */

/** A name in which "/" cannot stand, so that one key never begins with another's prefix by accident. */
export function keyPart(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("/", "%2F");
}

/** The name again. */
export function nameOfKeyPart(part: string): string {
  return part.replaceAll("%2F", "/").replaceAll("%25", "%");
}

/** The order in which the host scans: that of the bytes. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
