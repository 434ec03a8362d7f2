/**
 * Debian's `ledger` in this dapp's image, as the second opinion on the books. It gets the journal in a file
 * and answers into one: a container has no pairs of sockets, which pipes to a child would be.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LedgerAnswer } from "./judge.ts";

const LEDGER = "/usr/bin/ledger";
/** "@" before accounts tells them from the amounts that follow, one a currency. */
const FORMAT = "@%(account)\\n%(amount)\\n";
const WORDS = ["--args-only", "-f", "-", "balance", "--flat", "--no-total", "--pedantic", "--format", FORMAT];

/** Throws when ledger cannot be run: that is an ERROR of the call, no verdict. */
export async function ledgerBalances(journal: string): Promise<LedgerAnswer> {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  try {
    const { status, error, output, complaint } = run(folder, journal);
    if (error !== undefined) throw new Error(`ledger cannot be run: ${error.message}`);
    return status === 0 ? { balances: balancesOf(output) } : { complaint };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(
  folder: string,
  journal: string,
): { status: number | null; error?: Error; output: string; complaint: string } {
  const paths = ["journal", "output", "complaint"].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(paths[0], journal);
  const files = [openSync(paths[0], "r"), openSync(paths[1], "w"), openSync(paths[2], "w")];
  try {
    const { status, error } = spawnSync(LEDGER, WORDS, {
      stdio: files as [number, number, number],
      env: { LC_ALL: "C.UTF-8" },
    });
    const [, output, complaint] = paths.map((path) => readFileSync(path, "utf8")) as [string, string, string];
    return { status, output, complaint, ...(error === undefined ? {} : { error }) };
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** "@assets:bank", then a line "10.00 EUR" for each currency. */
export function balancesOf(output: string): Record<string, string> {
  const balances: Record<string, string> = Object.create(null);
  let account = "";
  for (const line of output.split("\n")) {
    if (line.startsWith("@")) {
      account = line.slice(1);
      continue;
    }
    const [, amount = "", currency = ""] = /^\s*(-?[0-9.]+) ([A-Z]+)$/.exec(line) ?? [];
    if (currency !== "") balances[`${account}/${currency}`] = amount;
    else if (line.trim() !== "" && line.trim() !== "0")
      throw new Error(`ledger wrote a line that is not understood: ${line}`);
  }
  return balances;
}
