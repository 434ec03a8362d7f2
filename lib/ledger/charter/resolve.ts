/**
 * The second of the three: whether those who back an operation may have it done. Depends on the set of them, never
 * on the order in which their ballots came, or on their repetition.
 */
import { concatBytes, fromHex, type PublicKey, utf8 } from "../../base/index.ts";
import { deriveHashBytes, encodeCanonical, verifySignature } from "../../codec/index.ts";
import { RIGHT_GOVERN } from "../genesis.ts";
import { isMap } from "../shape.ts";
import type { StateView } from "../types.ts";
import type { NewKeys, Operation } from "./operation.ts";
import { governors, principalAt, type Refusal, recoveryCommitment, rightsOf, textsOf } from "./state.ts";

export type Resolution =
  | { readonly verdict: "adopt" }
  /** More ballots are needed. */
  | { readonly verdict: "open"; readonly needed: number }
  | ({ readonly verdict: "refuse" } & Refusal);

const ADOPT: Resolution = { verdict: "adopt" };

/** `ballots`: the principals that back the operation, its author among them [L10]. */
export function resolve(op: Operation, ballots: readonly string[], state: StateView): Resolution {
  const backers = [...new Set(ballots)].sort();
  switch (op.type) {
    case "invitation.use":
      return ADOPT; // It only uses up what its author holds.
    case "ballot":
      return ADOPT; // What it backs is judged by itself.
    case "guardians.set":
      return byOwn(op.principal, backers);
    case "principal.rotate":
      return byOwnAndProof(op, backers, state);
    case "principal.recover":
      return recover(op, backers, state);
    case "device.add":
      return backers.includes(op.principal) ? ADOPT : byGovernor(backers, state);
    case "device.revoke":
    case "device.decide":
      return backers.includes(ownerOf(op.key, state)) ? ADOPT : byGovernor(backers, state);
    default:
      return byGovernor(backers, state);
  }
}

function refuse(why: string, todo: string): Resolution {
  return { verdict: "refuse", why, todo };
}

function byGovernor(backers: readonly string[], state: StateView): Resolution {
  if (backers.some((id) => rightsOf(state, id).includes(RIGHT_GOVERN))) return ADOPT;
  const who = governors(state).slice(0, 3).join(", ");
  return refuse(`${backers.join(", ")} has not the right ${RIGHT_GOVERN}`, `ask one who has it: ${who}`);
}

function byOwn(principal: string, backers: readonly string[]): Resolution {
  if (backers.includes(principal)) return ADOPT;
  return refuse(`only ${principal} may do that`, "do it from a device of that principal");
}

function ownerOf(key: string, state: StateView): string {
  const device = state.get(`device/${key}`);
  return isMap(device) ? String(device["principal"]) : "";
}

/** Who holds one of a person's devices must not be able to throw the others out. */
function byOwnAndProof(op: NewKeys, backers: readonly string[], state: StateView): Resolution {
  const own = byOwn(op.principal, backers);
  const isCommitted = typeof principalAt(state, op.principal)?.["recovery"] === "string";
  if (own.verdict !== "adopt" || !isCommitted) return own;
  return whyNoProof(op, state) ?? ADOPT;
}

function recover(op: NewKeys, backers: readonly string[], state: StateView): Resolution {
  if (op.proof !== null) return whyNoProof(op, state) ?? ADOPT;
  const value = state.get(`guardians/${op.principal}`);
  const guardians = textsOf(value, "guardians");
  const threshold = isMap(value) ? Number(value["threshold"]) : 0;
  const count = backers.filter((id) => guardians.includes(id)).length;
  if (guardians.length === 0)
    return refuse(
      `${op.principal} has named no guardians`,
      "sign with the recovery key, or remove the principal and add a new one",
    );
  if (count === 0)
    return refuse(
      `${backers.join(", ")} is no guardian of ${op.principal}`,
      `ask its guardians: ${guardians.join(", ")}`,
    );
  return count >= threshold ? ADOPT : { verdict: "open", needed: threshold - count };
}

function whyNoProof(op: NewKeys, state: StateView): Resolution | undefined {
  const committed = principalAt(state, op.principal)?.["recovery"];
  if (typeof committed !== "string")
    return refuse(
      `${op.principal} has no recovery key`,
      "ask its guardians, or remove the principal and add a new one",
    );
  const { proof } = op;
  if (proof === null) return refuse(`${op.principal} has a recovery key, which must sign`, "sign with it");
  if (recoveryCommitment(fromHex(proof.key) as Uint8Array) !== committed)
    return refuse("that is not the recovery key that was committed to", "use the one of the last rotation");
  if (op.recovery === committed) return refuse("a recovery key is used once", "commit to the hash of a new one");
  const isSigned = verifySignature(
    proof.key as PublicKey,
    recoveryMessage(op, committed),
    fromHex(proof.signature) as Uint8Array,
  );
  return isSigned ? undefined : refuse("the recovery key has not signed this", "sign exactly these keys with it");
}

/**
 * What a recovery key signs: "gdo/1/recovery" ‖ 0x00 ‖ derive-key "gdo v1 recovery" over canonical
 * [principal, [[key, name], …], next commitment or null, commitment]. The commitment makes it good once.
 */
export function recoveryMessage({ principal, keys, recovery }: Omit<NewKeys, "proof">, commitment: string): Uint8Array {
  const said = encodeCanonical([principal, keys.map(({ key, name }) => [key, name]), recovery, commitment]);
  return concatBytes([utf8("gdo/1/recovery\0"), deriveHashBytes("gdo v1 recovery", said)]);
}
