/** `gdo export`: what this organisation has, in formats of others. */
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";

export const exportData: CommandSpec = {
  name: "export",
  summary: "Write what this organisation has in a format of others, to standard output.",
  arguments: [
    { form: "<format>", about: "ledger: the books as a Ledger journal; badge: a certificate as an Open Badge" },
    { form: "[what...]", about: "badge: the person and the course" },
  ],
  exits: {
    1: "there is no such certificate, or it was revoked",
    3: "there is no home",
    10: "the dapp is not installed",
    41: "the dapp failed",
  },
  example: "gdo export ledger >books.journal",
  async run(session, { args: [format, what] }) {
    const words = (what ?? []) as readonly string[];
    if (format === "ledger" && words.length === 0) await exportLedger(session);
    else if (format === "badge" && words.length === 2) await exportBadge(session, words as [string, string]);
    else throw new GdoError("USAGE", "it is `export ledger`, or `export badge PERSON COURSE`");
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

/** One line of JSON, as wallets take it. */
async function exportBadge(session: Session, [person, course]: readonly [string, string]): Promise<void> {
  const { badge } = (await withApi(session, (api) => api.call("badge", { person, course }))) as { badge: object };
  session.out.emit("badge", { badge }, () => JSON.stringify(badge, null, 2));
}
