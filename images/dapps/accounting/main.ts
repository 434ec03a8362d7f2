import { serve } from "../../sdk/index.ts";
import { accountingWith } from "./accounting.ts";
import { ledgerBalances } from "./ledger-program.ts";

await serve(accountingWith(ledgerBalances));
