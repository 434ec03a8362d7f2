export * from "./bytes.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./hash.ts";
export * from "./kept.ts";
export * from "./limits.ts";
export * from "./log.ts";
export * from "./rng.ts";
