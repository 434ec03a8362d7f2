import { gunzipSync, gzipSync } from "node:zlib";
import test from "ava";
import { statusEntry, statusListCredential } from "../../lib/interop/index.ts";

const URL = "https://dockside.example/revoked.json";
const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));

/** As the specification's algorithm to expand a list reads it. */
function bitsOf(credential: ReturnType<typeof statusListCredential>): string {
  const { encodedList } = credential["credentialSubject"] as { encodedList: string };
  if (encodedList[0] !== "u" || /[^A-Za-z0-9_-]/.test(encodedList)) throw new Error("no base64url in multibase");
  const bytes = gunzipSync(Buffer.from(encodedList.slice(1), "base64url"));
  return [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

test("a status list has one bit a place, the first one leftmost, and no fewer than 131,072", (t) => {
  const list = (count: number, revoked: number[]) =>
    bitsOf(statusListCredential({ url: URL, count, revoked, validFrom: "2026-11-22T12:00:00Z", gzip }));
  const few = list(20, [0, 9, 15]);
  t.is(few.length, 131_072);
  t.is(few.slice(0, 20), "10000000010000010000");
  t.is(few.slice(20).includes("1"), false);
  t.is(list(200_001, [200_000]).length, 200_008);
  t.is(list(200_001, [200_000])[200_000], "1");
});

test("a list says what it is, and an entry where to look", (t) => {
  const credential = statusListCredential({ url: URL, count: 0, revoked: [], validFrom: "2026-11-22T12:00:00Z", gzip });
  t.like(credential, { id: URL, type: ["VerifiableCredential", "BitstringStatusListCredential"] });
  t.like(credential["credentialSubject"], {
    id: `${URL}#list`,
    type: "BitstringStatusList",
    statusPurpose: "revocation",
  });
  t.deepEqual(statusEntry(URL, 9), {
    id: `${URL}#9`,
    type: "BitstringStatusListEntry",
    statusPurpose: "revocation",
    statusListIndex: "9",
    statusListCredential: URL,
  });
});
