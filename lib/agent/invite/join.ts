/** The invited side: asks the inviter's agent by the broker until it answers, then makes the home. */
import { existsSync, readFileSync } from "node:fs";
import {
  ERROR_CODES,
  type ErrorCode,
  GdoError,
  type Hash,
  type PublicKey,
  SystemClock,
  SystemRng,
  silentLog,
} from "../../base/index.ts";
import { decodeBlock } from "../../codec/index.ts";
import { parseGenesis } from "../../ledger/index.ts";
import { inboxTopic, MqttTransport } from "../../sync/index.ts";
import { homePaths } from "../home/home.ts";
import { joinHome, reserveKey } from "../home/setup.ts";
import { AnswerReader, encodeRequest, type JoinAnswer, sealKey } from "./letters.ts";
import { type OpenedToken, openToken } from "./token.ts";

export interface AcceptOptions {
  readonly root: string;
  readonly token: string;
  /** The device's name. */
  readonly name: string;
  /** Instead of the token's, where this device reaches the broker by another name. */
  readonly broker?: string | undefined;
  readonly timeoutMs: number;
}

export interface Joined {
  readonly organisation: Hash;
  readonly organisationName: string;
  readonly principal: string;
  readonly nodeKey: PublicKey;
  readonly broker: string;
}

const ASK_EVERY_MS = 2_000;

/** Joins by a token. INPUT_INVALID, HOME_EXISTS, REFUSED with the inviter's reason, SYNC_UNREACHABLE. */
export async function acceptInvitation(options: AcceptOptions): Promise<Joined> {
  const opened = openToken(options.token);
  const { organisation, principal } = opened.invitation;
  checkHome(options.root, organisation);
  const broker = options.broker ?? opened.invitation.broker;
  if (broker === null)
    throw new GdoError("USAGE", "the token names no broker", { hint: "gdo join TOKEN --broker URL" });
  const answer = await ask(opened, { ...options, broker });
  if (!answer.ok) throw refusalOf(answer);
  const block = decodeBlock(answer.charter);
  if (block.id !== organisation)
    throw new GdoError("LEDGER_SIGNATURE", "the answer holds another organisation's charter");
  const { nodeKey } = await joinHome({
    root: options.root,
    charterEnvelope: answer.charter,
    credentialKey: answer.credentialKey,
    config: { name: options.name, broker: { url: broker } },
  });
  return { organisation, organisationName: parseGenesis(block.d).name, principal, nodeKey, broker };
}

function checkHome(root: string, organisation: Hash): void {
  const { charter } = homePaths(root);
  if (!existsSync(charter)) return;
  const { id } = decodeBlock(new Uint8Array(readFileSync(charter)));
  const isOther = id !== organisation;
  const why = isOther ? `${root} is a home of another organisation` : `${root} is already a home of that organisation`;
  throw new GdoError("HOME_EXISTS", why, {
    hint: isOther ? "join with another --home" : "there is nothing to do: gdo status; or join with another --home",
  });
}

function refusalOf({ code, message, hint }: Extract<JoinAnswer, { ok: false }>): GdoError {
  return new GdoError(code in ERROR_CODES ? (code as ErrorCode) : "REFUSED", message, { hint });
}

/** Asks again and again: the inviter's agent may be away, and a broker loses what nobody hears. */
async function ask(
  { invitation, signed, pair }: OpenedToken,
  { root, name, broker, timeoutMs }: AcceptOptions & { readonly broker: string },
): Promise<JoinAnswer> {
  const device = reserveKey(root);
  const seal = sealKey();
  const clock = new SystemClock();
  const request = encodeRequest({ invitation: signed, name, sealTo: seal.publicBytes }, { invited: pair, device });
  const reader = new AnswerReader(seal, invitation.inviter);
  const transport = new MqttTransport({
    url: broker,
    clientId: `gdo-join-${device.publicKey.slice(0, 16)}`,
    clock,
    rng: new SystemRng(),
    log: silentLog,
  });
  const to = inboxTopic(invitation.organisation, invitation.inviter);
  let cancel = (): void => {};
  let giveUp = (): void => {};
  try {
    return await new Promise<JoinAnswer>((resolve, reject) => {
      const again = (): void => {
        transport.publish(to, request, false);
        cancel = clock.after(ASK_EVERY_MS, again);
      };
      giveUp = clock.after(timeoutMs, () => reject(unreachable(broker)));
      transport.start({
        connected: () => {
          transport.subscribe([inboxTopic(invitation.organisation, device.publicKey)]);
          cancel();
          again();
        },
        disconnected: () => {},
        message: (_topic, bytes) => {
          const answer = reader.take(bytes);
          if (answer !== undefined) resolve(answer);
        },
      });
    });
  } finally {
    cancel();
    giveUp();
    await transport.close();
  }
}

function unreachable(broker: string): GdoError {
  return new GdoError("SYNC_UNREACHABLE", `the inviter does not answer by ${broker.replace(/\/\/[^@/]*@/, "//")}`, {
    hint: "see that its agent runs (gdo agent) and that the broker is reached, then the same again",
  });
}
