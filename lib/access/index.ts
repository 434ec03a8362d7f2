export * from "./credential.ts";
export type { CredentialRow } from "./credential-table.ts";
export * from "./decide.ts";
export * from "./door-machine.ts";
export * from "./frame.ts";
export type { PersonRow } from "./people-table.ts";
export * from "./policy.ts";
export * from "./signed-policy.ts";
export * from "./swipe.ts";
