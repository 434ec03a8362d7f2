/** The ledger on disk: docs/design/ledger.md, "State and storage". The only importer of SQLite. */
export type { Head } from "./blocks.ts";
export type { VoidEntry } from "./branches.ts";
export { LedgerDb } from "./ledger-db.ts";
export type { ListOptions, ListRow } from "./listing.ts";
export type { FrontierLog } from "./logs.ts";
export type { Incoming, Ingested, OpenOptions } from "./types.ts";
export type { VerifyFinding, VerifyReport } from "./verify.ts";
