/** `gdo export`: what this organisation has, in formats of others. */
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";

export const exportData: CommandSpec = {
  name: "export",
  summary: "Write what this organisation has in a format of others, to standard output.",
  arguments: [
    {
      form: "<format>",
      about:
        "ledger: the books as a Ledger journal; badge: a certificate as an Open Badge; status: the list of revoked certificates",
    },
    {
      form: "[what...]",
      about: "badge: the person and the course; status: the web address at which the list will stand",
    },
  ],
  options: [
    {
      flags: "--status <url>",
      about: "badge: name the list of revoked certificates, by the web address at which it stands",
    },
  ],
  exits: {
    1: "there is no such certificate, or it was revoked",
    3: "there is no home",
    10: "the dapp is not installed",
    41: "the dapp failed",
  },
  example: "gdo export ledger >books.journal",
  async run(session, { args: [format, what], options: { status } }) {
    const words = (what ?? []) as readonly string[];
    if (format === "ledger" && words.length === 0) await exportLedger(session);
    else if (format === "badge" && words.length === 2)
      await exportBadge(session, { person: words[0], course: words[1], statusList: status });
    else if (format === "status" && words.length === 1) await exportStatuses(session, words[0]);
    else throw new GdoError("USAGE", "it is `export ledger`, `export badge PERSON COURSE` or `export status URL`");
    return 0;
  },
};

async function exportLedger(session: Session): Promise<void> {
  const { exportJournal } = await import("../../../agent/index.ts");
  await withApi(session, async (api) => {
    for await (const text of await exportJournal(api)) {
      session.out.emit("journal", { text }, () => text.replace(/\n$/, ""));
    }
  });
}

/** JSON, as wallets take it. */
async function exportBadge(session: Session, params: object): Promise<void> {
  const { badge } = (await withApi(session, (api) => api.call("badge", params))) as { badge: object };
  session.out.emit("badge", { badge }, () => JSON.stringify(badge, null, 2));
}

async function exportStatuses(session: Session, url: string | undefined): Promise<void> {
  const { list } = (await withApi(session, (api) => api.call("statusList", { url }))) as { list: object };
  session.out.emit("status", { list }, () => JSON.stringify(list, null, 2));
}
