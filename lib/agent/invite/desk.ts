/** The inviter's side: makes tokens, and turns a request that shows one into the charter's entries, once. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { GdoError, type PublicKey } from "../../base/index.ts";
import { generateKey, keyFromSeed } from "../../codec/index.ts";
import { type Act, principalOf, type StateView } from "../../ledger/index.ts";
import { checkGovern, govern } from "../govern.ts";
import { readSecret } from "../home/home.ts";
import type { GdoNode } from "../node.ts";
import { tentativeCharter } from "../views/tentative-charter.ts";
import type { BrokerAddress } from "./broker-address.ts";
import { encodeAnswer, type JoinAnswer, type JoinRequest, parseRequest } from "./letters.ts";
import { type Invitation, openInvitation, signInvitation, tokenText } from "./token.ts";

export interface InviteOptions {
  readonly principal: string;
  /** Of a new principal; undefined: one that is there. */
  readonly roles?: readonly string[] | undefined;
  readonly lifeMs: number;
  /** How the device reaches the broker; undefined: it has to be told. */
  readonly broker?: BrokerAddress | undefined;
}

export interface Invited {
  readonly token: string;
  readonly principal: string;
  readonly expiresMs: number;
  readonly broker: string | null;
  /** What a person should know about that address. */
  readonly brokerNote?: string;
}

/** Makes a token. REFUSED at once when the charter would not let this device invite so. */
export function invite(node: GdoNode, { principal, roles, lifeMs, broker }: InviteOptions): Invited {
  const { pair, charter, clock, db } = node.parts;
  checkWho(principal, roles, tentativeCharter(db));
  const seed = new Uint8Array(randomBytes(32));
  const expiresMs = Math.floor(clock.nowMs() + lifeMs);
  const names = { organisation: charter.id, key: keyFromSeed(seed).publicKey, inviter: pair.publicKey };
  const invitation = { ...names, principal, roles: roles ?? null, expiresMs, broker: broker?.url ?? null };
  checkGovern(node, actsFor(invitation, { device: generateKey().pair.publicKey, name: "invited" }));
  const token = tokenText(signInvitation(invitation, pair), seed);
  const note = broker?.note === undefined ? {} : { brokerNote: broker.note };
  return { token, principal, expiresMs, broker: invitation.broker, ...note };
}

/** A slip with --role has its own remedy. REFUSED. */
function checkWho(principal: string, roles: readonly string[] | undefined, state: StateView): void {
  const isThere = state.get(`principal/${principal}`) !== undefined;
  if (roles === undefined && !isThere)
    throw new GdoError("REFUSED", `there is no person ${principal}`, {
      hint: `gdo invite ${principal} --role ROLE, for somebody new`,
    });
  if (roles !== undefined && isThere)
    throw new GdoError("REFUSED", `the name ${principal} is taken`, {
      hint: `gdo invite ${principal}, without --role, for one more device of ${principal}; or another name`,
    });
}

function actsFor({ key, principal, roles }: Invitation, { device, name }: Pick<JoinRequest, "device" | "name">): Act[] {
  const added = roles === null ? [] : [{ type: "principal.add", body: { id: principal, roles } }];
  const used = { type: "invitation.use", body: { invitation: key, principal } };
  return [used, ...added, { type: "device.add", body: { key: device, principal, name } }];
}

/**
 * Answers what came to this node's inbox: undefined when it is no request, else the pieces to send back. The
 * same device may ask again, for an answer can be lost.
 */
export function answerRequest(node: GdoNode, bytes: Uint8Array): { to: PublicKey; pieces: Uint8Array[] } | undefined {
  let request: JoinRequest | undefined;
  try {
    request = parseRequest(bytes, (signed) => openInvitation(signed).key);
  } catch (error) {
    if (!(error instanceof GdoError)) throw error;
    node.countRefusal("join");
    return undefined; // Nobody to answer: it proved nothing.
  }
  if (request === undefined) return undefined;
  return { to: request.device, pieces: encodeAnswer(answerTo(node, request), request.sealTo, node.parts.pair) };
}

function answerTo(node: GdoNode, request: JoinRequest): JoinAnswer {
  const { charter, paths } = node.parts;
  try {
    admit(node, openInvitation(request.invitation), request);
    return {
      ok: true,
      charter: new Uint8Array(readFileSync(paths.charter)),
      credentialKey: readSecret(paths.credentialKey),
    };
  } catch (error) {
    if (!(error instanceof GdoError)) throw error;
    node.countRefusal("join");
    node.parts.log.warn("an invited device was refused", { device: request.device, why: error.message });
    return { ok: false, code: error.code, message: error.message, hint: error.hint ?? `ask at ${charter.id}` };
  }
}

function admit(node: GdoNode, invitation: Invitation, request: JoinRequest): void {
  const { pair, charter, clock, db } = node.parts;
  const refuse = (why: string): GdoError => new GdoError("REFUSED", why, { hint: "ask for a new one: gdo invite" });
  if (invitation.organisation !== charter.id) throw refuse("the token is of another organisation");
  if (invitation.inviter !== pair.publicKey) throw refuse("the token is another device's");
  const state = tentativeCharter(db);
  const isHis = principalOf(state, request.device) === invitation.principal;
  const isUsed = state.get(`invitation/${invitation.key}`) !== undefined;
  if (isHis && isUsed) return; // It asks again: the answer was lost.
  if (isUsed) throw refuse("the token is used already");
  if (clock.nowMs() > invitation.expiresMs) throw refuse("the token has expired");
  // A device that the charter has by now, as after a recovery, only needs the way in.
  const acts = actsFor(invitation, request);
  govern(node, isHis ? acts.slice(0, 1) : acts);
}
