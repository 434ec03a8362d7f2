/**
 * A certificate as an Open Badge, signed by this device: its key says that the organisation's final state had
 * the certificate at that moment. What is not signed: that the key is one of the organisation's (the charter
 * says so), and that nobody revoked the certificate since.
 */
import { createHash } from "node:crypto";
import { bytesOf, GdoError } from "../../base/index.ts";
import { jsonFromCanonical } from "../../codec/index.ts";
import { didKeyOf, type JsonMap, withProof } from "../../interop/index.ts";
import { parseGenesis } from "../../ledger/index.ts";
import type { GdoNode } from "../node.ts";

const APP = "certification";

/** REFUSED when there is no such certificate or it was revoked; NOT_FOUND without the dapp. */
export async function signedBadge(
  node: GdoNode,
  { person, course }: { person: string; course: string },
): Promise<JsonMap> {
  const { parts } = node;
  const answer = jsonFromCanonical(await node.query(APP, "badge", { person, course }));
  const { badge, why } = answer as { badge: JsonMap | null; why: string };
  if (badge === null) throw new GdoError("REFUSED", why);
  const { did, verificationMethod } = didKeyOf(bytesOf(parts.pair.publicKey));
  const issuer = { id: did, type: ["Profile"], name: parseGenesis(parts.charter.d).name };
  const created = new Date(parts.clock.nowMs()).toISOString().replace(/\.\d{3}Z$/, "Z");
  const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
  const sign = (message: Uint8Array): Uint8Array => parts.pair.sign(message);
  return withProof({ ...badge, issuer }, { verificationMethod, created, sha256, sign });
}
