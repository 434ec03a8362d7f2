/** Who is here. */
import type { Canonical, Draft, State } from "../../sdk/index.ts";

export const ID_BYTES_MAX = 64;

export const personId = {
  says: `text of 1 to ${ID_BYTES_MAX} bytes`,
  accepts: (value: Canonical | undefined): value is string =>
    typeof value === "string" && value !== "" && new TextEncoder().encode(value).length <= ID_BYTES_MAX,
};

export type Person = { name: string; level: number; status: "active" | "disabled" };

export async function personIn(from: State | Draft, id: string): Promise<Person | undefined> {
  return (await from.get(`person/${id}`)) as Person | undefined;
}
