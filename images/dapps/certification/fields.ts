/** What the fields of certification's acts must be. */
import { type Canonical, type Check, matching } from "../../sdk/index.ts";

const PERSON_BYTES_MAX = 64;
export const TIME_MAX = Number.MAX_SAFE_INTEGER;

export const courseId = matching(/^[a-z0-9][a-z0-9-]{0,39}$/, "a course's name of a to z, 0 to 9 and -");
export const principalId = matching(/^[a-z0-9][a-z0-9-]{0,63}$/, "a principal's name");
export const personId: Check<string> = {
  says: `text of 1 to ${PERSON_BYTES_MAX} bytes`,
  accepts: (value: Canonical | undefined): value is string =>
    typeof value === "string" && value !== "" && Buffer.byteLength(value) <= PERSON_BYTES_MAX,
};
