/** Formats of others. */
export { type BooksAct, bankActs } from "./books/bank-acts.ts";
export { JOURNAL_CHARS_MAX, readJournal } from "./books/journal.ts";
export { journalActs, type OpenBooks } from "./books/journal-acts.ts";
export { type BankRules, parseBankRules } from "./books/rules.ts";
export { type OddRow, readStatement, STATEMENT_BYTES_MAX } from "./books/statement.ts";
export { didKeyOf, type JsonMap, withProof } from "./data-integrity.ts";
export { DOORBOT_FILE_BYTES_MAX, type DoorbotList, parseDoorbot } from "./doorbot.ts";
export { importActs } from "./doorbot-acts.ts";
export type { DoorbotProblem } from "./doorbot-rows.ts";
export { entryGroups } from "./entry-groups.ts";
export type { PackedFormat } from "./oci/blob.ts";
export { exportImage } from "./oci/export.ts";
export { importImage } from "./oci/import.ts";
export { statusEntry, statusListCredential } from "./status-list.ts";
