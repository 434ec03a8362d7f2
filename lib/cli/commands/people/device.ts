/** `gdo device`: the organisation's devices; revoking one, letting one decide, and this one's own key. */
import type { CommandSpec, Session } from "../../command.ts";
import { assertConfirmed, CONFIRM } from "./confirm.ts";
import { type Device, deviceOf, needed, noAction, readRoster, record } from "./roster.ts";

function describe({ key, principal, name, revoked, decides }: Device): string {
  const more = `${revoked === true ? ", revoked" : ""}${decides === true ? ", decides" : ""}`;
  return `${name} of ${principal}  ${key}${more}`;
}

async function list(session: Session): Promise<void> {
  const place = ({ principal, name, key }: Device): string => `${principal}/${name}/${key}`;
  const { devices } = await readRoster(session);
  for (const each of devices.toSorted((x, y) => (place(x) < place(y) ? -1 : 1)))
    session.out.emit("device", { ...each }, () => describe(each));
}

async function revoke(session: Session, text: string, confirm: unknown): Promise<void> {
  const { key, name, principal } = deviceOf(await readRoster(session), text);
  const last = `${name} of ${principal} is revoked for good; what it signs from then on counts for nothing`;
  assertConfirmed(confirm, name, last);
  await record(session, "device.revoke", { key });
}

async function ownKey(session: Session): Promise<void> {
  const { homeRoot, deviceKey } = await import("../../../agent/index.ts");
  const root = homeRoot(session.homeFlag);
  const { key, isNew } = await deviceKey(root);
  session.out.emit("key", { home: root, key, isNew }, () => key);
}

const ACTIONS = ["key", "decide", "revoke"];

export const device: CommandSpec = {
  name: "device",
  summary:
    "The devices of the organisation; 'revoke DEVICE' for one that was lost, 'decide DEVICE' lets that one vote and merge for its person, 'key' shows this device's own key, and makes it before there is a home.",
  arguments: [
    { form: "[action]", about: "key, decide or revoke (default: list them)" },
    { form: "[device]", about: "its name, or the first digits of its key" },
  ],
  options: [CONFIRM],
  exits: {
    1: "the charter forbids it, with the reason, or it was not confirmed",
    3: "there is no home",
    10: "no such device",
    11: "several devices have that name",
  },
  example: "gdo device revoke tablet --confirm tablet",
  async run(session, { args: [action, name], options: { confirm } }) {
    if (action === undefined) await list(session);
    else if (action === "key") await ownKey(session);
    else if (action === "revoke") await revoke(session, needed(name, "a device", "device revoke"), confirm);
    else if (action === "decide") {
      const { key } = deviceOf(await readRoster(session), needed(name, "a device", "device decide"));
      await record(session, "device.decide", { key });
    } else throw noAction(device, String(action), ACTIONS);
    return 0;
  },
};
