/** The real Log: pino, one JSON object a line on standard error. */
import { pino } from "pino";
import type { Log, LogFields } from "../base/index.ts";

export function pinoLog(name: string, level: "debug" | "info" | "warn" | "error"): Log {
  const logger = pino({ name, level, base: null }, pino.destination({ fd: 2, sync: true }));
  return {
    debug: (message: string, fields?: LogFields) => logger.debug(fields ?? {}, message),
    info: (message: string, fields?: LogFields) => logger.info(fields ?? {}, message),
    warn: (message: string, fields?: LogFields) => logger.warn(fields ?? {}, message),
    error: (message: string, fields?: LogFields) => logger.error(fields ?? {}, message),
  };
}
