/** JSON objects, one a line, over a socket; the line is bounded before anything is parsed. */
import type { Socket } from "node:net";
import { fromUtf8 } from "../base/index.ts";

const NEWLINE = 10;

export type JsonObject = Readonly<Record<string, unknown>>;

export interface JsonLineOptions {
  readonly lineBytesMax: number;
  onObject(object: JsonObject): void;
  /** A line too long, not UTF-8, no JSON, or no object. The socket is closed. */
  onGarbage(): void;
}

function parseObject(line: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(fromUtf8(line));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

export function readJsonLines(socket: Socket, options: JsonLineOptions): void {
  let held: Buffer = Buffer.alloc(0);
  const refuse = (): void => {
    socket.removeListener("data", take);
    socket.destroy();
    options.onGarbage();
  };
  const take = (chunk: Buffer): void => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (let end = held.indexOf(NEWLINE); end !== -1 && !socket.destroyed; end = held.indexOf(NEWLINE)) {
      const object = end > options.lineBytesMax ? undefined : parseObject(held.subarray(0, end));
      if (object === undefined) {
        refuse();
        return;
      }
      held = held.subarray(end + 1);
      options.onObject(object);
    }
    if (held.length > options.lineBytesMax) refuse();
  };
  socket.on("data", take);
}

export function writeJsonLine(socket: Socket, object: JsonObject): void {
  if (socket.writable) socket.write(`${JSON.stringify(object)}\n`);
}
