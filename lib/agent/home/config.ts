/**
 * Configuration: one YAML file, one schema that gives types, defaults and messages. Read once; an
 * unknown key is an error. Rules: docs/design/cli.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import * as z from "zod";
import { GdoError } from "../../base/index.ts";

const port = z.number().int().min(0).max(65_535);

const doorPoint = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{1,32}$/),
  reader: z.string().min(1).max(64),
  strike: z.string().min(1).max(64),
  /** How long one grant keeps the strike energised. */
  unlockMs: z.number().int().min(1000).max(240_000).default(5000),
});

const doorSchema = z.strictObject({
  lines: z.enum(["simulated", "onoff"]),
  /** Unix socket of the line board; only with simulated lines. */
  board: z.string().optional(),
  /** A steered clock can be moved by the line board; only with simulated lines. */
  clock: z.enum(["system", "steered"]).default("system"),
  /** Wall time at start of a steered clock, ms since 1970. */
  startMs: z.number().optional(),
  /** What holds when a grant cannot be logged [A3]. */
  onLogFailure: z.enum(["deny", "open"]).default("deny"),
  doors: z.array(doorPoint).min(1).max(16),
});

const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  /** The MQTT broker through which peers are reached; none: this node is alone, or serves the broker itself. */
  broker: z.strictObject({ url: z.string().regex(/^mqtts?:\/\//, "must start with mqtt:// or mqtts://") }).optional(),
  /** Serve a broker to the others. Port 0 takes a free one, printed at start. */
  embeddedBroker: z.strictObject({ host: z.string().default("127.0.0.1"), port: port.default(1883) }).optional(),
  merge: z.strictObject({ everyMs: z.number().int().min(50).max(3_600_000).default(2000) }).default({ everyMs: 2000 }),
  /** How long a first round of votes may take; each further one has twice as long [L15]. */
  votes: z
    .strictObject({ timeoutMs: z.number().int().min(100).max(600_000).default(10_000) })
    .default({ timeoutMs: 10_000 }),
  policy: z
    .strictObject({
      softHours: z.number().positive().default(24),
      hardDays: z.number().positive().default(14),
    })
    .default({ softHours: 24, hardDays: 14 }),
  container: z
    .strictObject({
      runtime: z.string().default("runc"),
      /** Dapps whose containers stay though memory is short: a door does not wait for one. */
      keepWarm: z.array(z.string()).default(["door"]),
    })
    .default({ runtime: "runc", keepWarm: ["door"] }),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).default({ level: "info" }),
  /** Lets the control socket move this node's wall time; for demonstrations only. */
  clock: z.enum(["system", "steered"]).default("system"),
  startMs: z.number().optional(),
  door: doorSchema.optional(),
});

export type Config = z.infer<typeof schema>;
export type DoorConfig = z.infer<typeof doorSchema>;

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? "the file" : issue.path.join(".");
  return `${where}: ${issue.message}`;
}

/** Cross-field rules that a schema alone does not say. */
function checkDoor(door: DoorConfig): string | undefined {
  if (door.lines === "simulated" && door.board === undefined)
    return "door.board: simulated lines need the socket of a line board";
  if (door.clock === "steered" && door.lines !== "simulated")
    return "door.clock: a steered clock needs simulated lines";
  const ids = new Set(door.doors.map(({ id }) => id));
  return ids.size === door.doors.length ? undefined : "door.doors: two doors have one id";
}

/** Parses configuration text; CONFIG_INVALID names the file, the key and what is wrong. */
export function parseConfig(text: string, path: string): Config {
  const document = parseDocument(text);
  const syntax = document.errors[0];
  if (syntax !== undefined) throw new GdoError("CONFIG_INVALID", `${path}: ${syntax.message.split("\n")[0]}`);
  const result = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!result.success) throw new GdoError("CONFIG_INVALID", `${path}: ${result.error.issues.map(describe).join("; ")}`);
  const wrong = result.data.door === undefined ? undefined : checkDoor(result.data.door);
  if (wrong !== undefined) throw new GdoError("CONFIG_INVALID", `${path}: ${wrong}`);
  return result.data;
}

export function readConfig(path: string): Config {
  if (!existsSync(path)) throw new GdoError("CONFIG_INVALID", `no configuration at ${path}`);
  return parseConfig(readFileSync(path, "utf8"), path);
}
