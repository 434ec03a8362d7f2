/** What the fields of accounting's acts must be. */
import {
  type Canonical,
  type Check,
  integer,
  matching,
  oneLine,
  optional,
  Refusal,
  readFields,
} from "../../sdk/index.ts";

/** Beyond what any small organisation owns, and far below where integers stop being exact. */
export const AMOUNT_MAX = 1_000_000_000_000_000;
const POSTINGS_MAX = 64;
const DUES_MAX = 32;
const PERSON_BYTES_MAX = 64;

export const currencyCode = matching(/^[A-Z]{2,10}$/, "a currency of 2 to 10 capital letters, as in EUR");
const SEGMENT = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}._-]| (?! )){0,38}[\\p{L}\\p{N}._-]|[\\p{L}\\p{N}]";
export const accountName = matching(
  new RegExp(`^(?:assets|liabilities|equity|income|expenses)(?::(?:${SEGMENT})){0,7}$`, "u"),
  "an account below assets, liabilities, equity, income or expenses, as in assets:bank",
);
export const amountField = integer(-AMOUNT_MAX, AMOUNT_MAX);
export const transactionId = matching(/^[a-z0-9][a-z0-9-]{0,79}$/, "an id of a to z, 0 to 9 and -");
export const planName = matching(/^[a-z0-9][a-z0-9-]{0,39}$/, "a plan's name of a to z, 0 to 9 and -");
export const personId: Check<string> = {
  says: `text of 1 to ${PERSON_BYTES_MAX} bytes`,
  accepts: (value): value is string =>
    typeof value === "string" && value !== "" && Buffer.byteLength(value) <= PERSON_BYTES_MAX,
};
/** ";" begins a comment in journals. */
export const payeeField: Check<string> = {
  says: "one line of 1 to 200 characters without ;",
  accepts: (value): value is string => oneLine(200).accepts(value) && !value.includes(";"),
};
export const noteField = optional(oneLine(400));

export interface Posting {
  readonly account: string;
  readonly currency: string;
  /** In the smallest unit of the currency; never zero. */
  readonly amount: number;
}

/** A part of a transaction that pays somebody's dues. */
export interface DuesPart {
  readonly person: string;
  readonly plan: string;
  readonly amount: number;
}

/** 2 to 64 postings; a Refusal says which is wrong. */
export function readPostings(value: Canonical | undefined): Posting[] {
  const isList = Array.isArray(value) && value.length >= 2 && value.length <= POSTINGS_MAX;
  if (!isList) throw new Refusal(`postings must be a list of 2 to ${POSTINGS_MAX}`);
  return value.map((item: Canonical, index: number) => {
    const checks = { account: accountName, currency: currencyCode, amount: amountField };
    const posting = named(`posting ${index + 1}`, () => readFields(item, checks));
    if (posting.amount === 0) throw new Refusal(`posting ${index + 1}: amount must not be zero`);
    return posting;
  });
}

/** 0 to 32 parts. */
export function readDues(value: Canonical | undefined): DuesPart[] {
  if (value === undefined) return [];
  const isList = Array.isArray(value) && value.length <= DUES_MAX;
  if (!isList) throw new Refusal(`dues must be a list of at most ${DUES_MAX}`);
  return value.map((item: Canonical, index: number) => {
    const checks = { person: personId, plan: planName, amount: integer(1, AMOUNT_MAX) };
    return named(`dues ${index + 1}`, () => readFields(item, checks));
  });
}

/** What is refused inside is said to be of this part. */
function named<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Refusal) throw new Refusal(`${part}: ${cause.message}`);
    throw cause;
  }
}

/** Fields that are read apart, as they came. */
export const asItCame: Check<Canonical | undefined> = {
  says: "anything",
  accepts: (value): value is Canonical | undefined => value !== null,
};
