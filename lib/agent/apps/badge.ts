/**
 * A certificate as an Open Badge, signed by this device: its key says that the organisation's final state had
 * the certificate at that moment. What is not signed: that the key is one of the organisation's (the charter
 * says so). That nobody revoked it since, the status list says which the badge may name.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { bytesOf, GdoError } from "../../base/index.ts";
import { jsonFromCanonical } from "../../codec/index.ts";
import { didKeyOf, type JsonMap, statusEntry, statusListCredential, withProof } from "../../interop/index.ts";
import { parseGenesis } from "../../ledger/index.ts";
import type { GdoNode } from "../node.ts";

const APP = "certification";

/**
 * With the address of a status list the badge says its place in it. REFUSED when there is no such certificate, it was
 * revoked, or has no place; NOT_FOUND without the dapp.
 */
export async function signedBadge(
  node: GdoNode,
  { person, course, statusList }: { person: string; course: string; statusList?: string | undefined },
): Promise<JsonMap> {
  const answer = jsonFromCanonical(await node.query(APP, "badge", { person, course }));
  const { badge, why, place } = answer as { badge: JsonMap | null; why: string; place: number | null };
  if (badge === null) throw new GdoError("REFUSED", why);
  if (statusList === undefined) return signed(node, badge);
  if (place === null)
    throw new GdoError("REFUSED", "the certificate has no place in the status list", {
      hint: `gdo call certification award '{"person":"${person}","course":"${course}"}'`,
    });
  return signed(node, { ...badge, credentialStatus: statusEntry(statusList, place) });
}

/** The list of revoked certificates, to be published at its address. NOT_FOUND without the dapp. */
export async function signedStatusList(node: GdoNode, url: string): Promise<JsonMap> {
  const statuses = jsonFromCanonical(await node.query(APP, "statuses", null));
  const { count, revoked } = statuses as { count: number; revoked: number[] };
  const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes));
  return signed(node, statusListCredential({ url, count, revoked, validFrom: nowOf(node), gzip }));
}

function nowOf({ parts }: GdoNode): string {
  return new Date(parts.clock.nowMs()).toISOString().replace(/\.\d{3}Z$/, "Z");
}

function signed(node: GdoNode, document: JsonMap): JsonMap {
  const { pair, charter } = node.parts;
  const { did, verificationMethod } = didKeyOf(bytesOf(pair.publicKey));
  const issuer = { id: did, type: ["Profile"], name: parseGenesis(charter.d).name };
  const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
  const sign = (message: Uint8Array): Uint8Array => pair.sign(message);
  return withProof({ ...document, issuer }, { verificationMethod, created: nowOf(node), sha256, sign });
}
