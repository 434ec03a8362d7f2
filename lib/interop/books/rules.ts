/**
 * How one bank writes its statements, and what its rows are: the file that `gdo import bank --rules` takes.
 * Parsed YAML comes in; an unknown key is an error, and every message names the key. Pure.
 */
import * as z from "zod";
import { GdoError } from "../../base/index.ts";

const ACCOUNT = /^(assets|liabilities|equity|income|expenses)(:[^:;/\p{Cc}]{1,40}){0,7}$/u;
const account = z.string().regex(ACCOUNT, "is an account below assets, liabilities, equity, income or expenses");
const text = z.string().min(1).max(200);
const PERSON_GROUP = /^\$[1-9]$/;

const pattern = z
  .string()
  .max(200)
  .transform((source, context) => {
    try {
      return new RegExp(source, "iu");
    } catch (cause) {
      context.addIssue({ code: "custom", message: `is no regular expression: ${(cause as Error).message}` });
      return z.NEVER;
    }
  });

const rule = z
  .strictObject({
    /** Matched, whatever its case, against payee and text of the row. */
    text: pattern,
    account,
    /** A plan of which the row pays somebody's dues. */
    dues: text.optional(),
    /** Whose: an id, or $1 for what the first parentheses of `text` caught. */
    person: text.optional(),
  })
  .refine(({ dues, person }) => (dues === undefined) === (person === undefined), "dues and person go together");

const schema = z.strictObject({
  account,
  currency: z.string().regex(/^[A-Z]{2,10}$/, "is a currency, as in EUR"),
  delimiter: z.enum([",", ";", "tab"]).default(","),
  encoding: z.enum(["utf-8", "latin1"]).default("utf-8"),
  /** Lines before the row of headings. */
  skip: z.int().min(0).max(100).default(0),
  columns: z.strictObject({
    date: text,
    amount: text,
    payee: text.optional(),
    text: text.optional(),
    /** The bank's own number of the row, where it gives one. */
    reference: text.optional(),
  }),
  date: z.enum(["YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "YYYYMMDD"]).default("YYYY-MM-DD"),
  decimal: z.enum([".", ","]).default("."),
  rules: z.array(rule).max(500).default([]),
  /** Where rows go that no rule is for; without it they are named and left out. */
  otherwise: z.strictObject({ in: account, out: account }).optional(),
});

export type BankRules = z.infer<typeof schema>;
export type BankRule = BankRules["rules"][number];

/** INPUT_INVALID names the key that is wrong. */
export function parseBankRules(value: unknown, path: string): BankRules {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const key = issue?.path.join(".") ?? "";
  throw new GdoError(
    "INPUT_INVALID",
    `${path}: ${key === "" ? "" : `${key}: `}${issue?.message ?? "is no rules file"}`,
  );
}

/** The person that a rule's row is for. */
export function personOf({ person = "" }: BankRule, match: RegExpExecArray): string | undefined {
  return PERSON_GROUP.test(person) ? match[Number(person.slice(1))]?.trim() : person;
}
