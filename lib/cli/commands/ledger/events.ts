/** `gdo events`: a branch's final entries in their order, from a cursor on. */
import { type CommandSpec, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";

interface FeedEvent {
  readonly cursor: string;
  readonly id: string;
  readonly app: string;
  readonly acts: readonly { readonly type: string }[];
  readonly name: string;
  readonly timeMs: number;
  readonly reason?: string;
}

interface Page {
  readonly events: readonly FeedEvent[];
  readonly cursor: string;
  readonly isMore: boolean;
}

function line({ cursor, id, app, acts, name, timeMs, reason }: FeedEvent): string {
  const what = `${cursor}  ${id.slice(0, 12)}  ${moment(timeMs)}  ${name}  ${app} ${acts.map(({ type }) => type).join(" ")}`;
  return reason === undefined ? what : `${what}  void: ${reason}`;
}

export const events: CommandSpec = {
  name: "events",
  summary: "Final entries in the branch's order, each once; with the cursor of the last, go on after it.",
  arguments: [{ form: "[branch]", about: "the branch (default: main)" }],
  options: [{ flags: "--from <cursor>", about: "only what comes after (default: from the first)" }],
  exits: { 3: "there is no home", 10: "no such branch", 12: "not a cursor" },
  example: "gdo events main --from 12.3",
  async run(session, { args: [branch], options }) {
    await withApi(session, async (api) => {
      let from = options.from as string | undefined;
      for (let isMore = true; isMore; ) {
        const query = { ...(branch === undefined ? {} : { branch }), ...(from === undefined ? {} : { from }) };
        const page = (await api.call("events", query)) as Page;
        for (const event of page.events) session.out.emit("event", { ...event }, () => line(event));
        await session.out.drained();
        ({ cursor: from, isMore } = page);
      }
    });
    return 0;
  },
};
