import { join } from "node:path";
import { LedgerDb } from "../../lib/db/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ledgerDbContract, type Open } from "./ledger-db.ts";
import { ledgerBranchesContract } from "./ledger-db-branches.ts";

const onDisk: Open = async (t) => LedgerDb.open(join(await temporaryFolder(t), "ledger.db"));
const inMemory: Open = async () => LedgerDb.open(":memory:");
for (const contract of [ledgerDbContract, ledgerBranchesContract]) {
  contract("LedgerDb on disk", onDisk);
  contract("LedgerDb in memory", inMemory);
}
