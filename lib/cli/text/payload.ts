/** What a block says, for people: JSON with hashes in hex, and on one line what fits there. Pure. */

const WIDTH = 80;

/** Of what the agent gives as JSON, where bytes are {"/":{"bytes":"<base64>"}}. */
export function payloadText(value: unknown): string {
  return laidOut(withHex(value), 0);
}

function withHex(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== "object" || value === null) return value;
  const [[key, inner] = ["", undefined], ...more] = Object.entries(value);
  const bytes = key === "/" && more.length === 0 ? (inner as { bytes?: unknown } | null)?.bytes : undefined;
  if (typeof bytes === "string") return Buffer.from(bytes, "base64").toString("hex");
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withHex(each)]));
}

function laidOut(value: unknown, indent: number): string {
  const flat = oneLine(value);
  if (typeof value !== "object" || value === null || indent + flat.length <= WIDTH) return flat;
  const inside = " ".repeat(indent + 2);
  const parts = Array.isArray(value)
    ? value.map((each) => laidOut(each, indent + 2))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${laidOut(each, indent + 2)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.map((part) => `${inside}${part}`).join(",\n")}\n${" ".repeat(indent)}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${oneLine(each)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}
