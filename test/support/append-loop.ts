/**
 * A process for crash tests: appends own blocks to the database named by its argument, as fast as it can, and
 * says each number and id once it is durable. It ends only by being killed.
 */
import { writeSync } from "node:fs";
import { LedgerDb } from "../../lib/db/index.ts";
import { note, TestLog, testOrganisation } from "./ledger-fixtures.ts";

const db = LedgerDb.open(process.argv[2] ?? "");
const { charter, office } = testOrganisation();
db.ingest([charter]);
const log = new TestLog(office.pair, charter.id);
const last = db.lastOf(office.pair.publicKey, "00000000000000a1");
if (last !== undefined) log.blocks.push(last);
writeSync(1, "ready\n");
for (let round = 0; ; round += 1) {
  const block = log.entry([note(`round ${round} of process ${process.pid}`)], log.blocks.length === 0 ? [charter] : []);
  db.appendOwn(block);
  writeSync(1, `${block.n} ${block.id}\n`);
}
