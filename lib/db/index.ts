/** The ledger on disk: docs/design/ledger.md, "State and storage". The only importer of SQLite. */
export { LedgerDb } from "./ledger-db.ts";
export type { ListRow } from "./listing.ts";
export { MemoryDisk, PowerCut, type Tail } from "./memory-disk.ts";
export type { VerifyReport } from "./verify/ledger.ts";
