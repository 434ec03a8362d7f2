import { join } from "node:path";
import { LedgerDb } from "../../lib/db/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ledgerDbContract } from "./ledger-db.ts";

ledgerDbContract("LedgerDb on disk", async (t) => LedgerDb.open(join(await temporaryFolder(t), "ledger.db")));
ledgerDbContract("LedgerDb in memory", async () => LedgerDb.open(":memory:"));
