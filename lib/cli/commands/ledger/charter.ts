/** `gdo charter`: who is in the organisation and what they may do; or one operation that changes it. */
import { type CommandSpec, withApi } from "../../command.ts";
import { jsonArgument } from "../../values.ts";

interface Charter {
  readonly organisation: { id: string; name: string; fault: string };
  readonly h: number;
  readonly principals: readonly { id: string; roles: readonly string[]; recovery: string | null; removed?: boolean }[];
  readonly devices: readonly { key: string; principal: string; name: string; revoked?: boolean; decides?: boolean }[];
  readonly roles: readonly { role: string; rights: readonly string[] }[];
  readonly guardians: readonly { principal: string; guardians: readonly string[]; threshold: number }[];
  readonly open: readonly { operation: string; type: string; ballots: readonly string[] }[];
}

function describe(charter: Charter): string {
  const { organisation, h, principals, devices, roles, guardians, open } = charter;
  const rows: [string, string][] = [
    ["organisation", `${organisation.name} ${organisation.id.slice(0, 12)}, fault model ${organisation.fault}`],
    ["charter", h === 0 ? "as it was founded" : `at height ${h}`],
  ];
  for (const { role, rights } of roles) rows.push(["role", `${role}: ${rights.join(", ")}`]);
  for (const { id, roles: named, recovery, removed } of principals) {
    const key = recovery === null ? "no recovery key" : "has a recovery key";
    rows.push(["principal", removed === true ? `${id}, removed` : `${id}: ${named.join(", ")}; ${key}`]);
  }
  for (const { key, principal, name, revoked, decides } of devices) {
    const more = `${revoked === true ? ", revoked" : ""}${decides === true ? ", decides" : ""}`;
    rows.push(["device", `${name} of ${principal} ${key.slice(0, 12)}${more}`]);
  }
  for (const { principal, guardians: names, threshold } of guardians)
    rows.push(["guardians", `of ${principal}: ${threshold} of ${names.join(", ")}`]);
  for (const { operation, type, ballots } of open)
    rows.push(["open", `${type} ${operation.slice(0, 12)}, backed by ${ballots.join(", ")}`]);
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join("\n");
}

export const charter: CommandSpec = {
  name: "charter",
  summary: "Who is in the organisation and what they may do; with an operation: change it.",
  arguments: [
    {
      form: "[operation]",
      about:
        "one of principal.add, .remove, .rotate, .recover; device.add, .revoke, .decide; role.grant, .revoke, .set; guardians.set; branch.set; dapp.install, .upgrade, .remove; invitation.use; ballot",
    },
    { form: "[json]", about: "the operation's fields; without them it says which" },
  ],
  exits: {
    1: "the charter forbids it, with the reason",
    3: "there is no home",
    31: "the charter does not know this device",
  },
  example: `gdo charter role.grant '{"principal":"ada","role":"validator"}'`,
  async run(session, { args: [operation, json] }) {
    if (operation === undefined) {
      const now = (await withApi(session, (api) => api.call("charter"))) as Charter;
      session.out.emit("charter", { ...now }, () => describe(now));
      return 0;
    }
    const body = jsonArgument(`what follows ${operation}`, String(json ?? "{}"));
    const acts = [{ type: operation, body }];
    const made = (await withApi(session, (api) => api.call("govern", { acts }))) as { id: string };
    session.out.emit("entry", { ...made }, () => made.id);
    return 0;
  },
};
