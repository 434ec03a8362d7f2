/** `gdo events`: a branch's final entries in their order, from a cursor on; with --follow what comes, too. */
import type { Api } from "../../../agent/index.ts";
import { type CommandSpec, type Session, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { untilStopped } from "../../stopping.ts";
import { type FeedEvent, Follower, type Told } from "../../text/follower.ts";

interface Page {
  readonly events: readonly FeedEvent[];
  readonly cursor: string;
  readonly isMore: boolean;
  readonly tentative?: readonly FeedEvent[];
  readonly known?: string;
}

/** How often who follows asks its own agent for more. */
const ASK_EVERY_MS = 250;
/** In the place of a cursor. */
const MARKS = { tentative: "(waits)", retracted: "(taken back)" };

function line({ type, event }: Told): string {
  const { cursor, id, app, acts, name, timeMs, reason } = event;
  const place = type === "event" ? cursor : MARKS[type];
  const what = `${place}  ${id.slice(0, 12)}  ${moment(timeMs)}  ${name}  ${app} ${acts.map(({ type: act }) => act).join(" ")}`;
  return reason === undefined ? what : `${what}  void: ${reason}`;
}

interface Reading {
  readonly branch: string | undefined;
  readonly tentative: boolean;
  /** Gone on until it resolves; absent: to the end of what there is. */
  readonly until?: Promise<void>;
}

/** Pages as they come. */
async function read(session: Session, api: Api, first: string | undefined, reading: Reading): Promise<void> {
  const { branch, tentative, until } = reading;
  const follower = new Follower();
  let [from, known]: (string | undefined)[] = [first];
  let isStopped = until === undefined;
  void until?.then(() => {
    isStopped = true;
  });
  for (;;) {
    const query = Object.entries({ branch, from, known, tentative }).filter(([, value]) => value !== undefined);
    const page = (await api.call("events", Object.fromEntries(query))) as Page;
    for (const told of follower.take(page)) session.out.emit(told.type, { ...told.event }, () => line(told));
    await session.out.drained();
    ({ cursor: from, known } = page);
    if (page.isMore) continue;
    if (!isStopped) await Promise.race([until, new Promise((wake) => setTimeout(wake, ASK_EVERY_MS).unref())]);
    if (isStopped) return;
  }
}

export const events: CommandSpec = {
  name: "events",
  summary: "Final entries in the branch's order, each once; with the cursor of the last, go on after it.",
  arguments: [{ form: "[branch]", about: "the branch (default: main)" }],
  options: [
    { flags: "--from <cursor>", about: "only what comes after (default: from the first)" },
    { flags: "--follow", about: "go on with what comes, until stopped; the home's agent must run" },
    {
      flags: "--tentative",
      about: "also what waits, as it would come; what then comes otherwise is taken back",
    },
  ],
  exits: { 3: "there is no home", 10: "no such branch", 12: "not a cursor", 52: "no agent runs" },
  example: "gdo events main --from 12.3 --follow",
  async run(session, { args: [branch], options }) {
    const isFollowing = options.follow === true;
    const until = isFollowing ? untilStopped({ withParent: false }) : undefined;
    const reading = {
      branch: branch as string | undefined,
      tentative: options.tentative === true,
      ...(until === undefined ? {} : { until }),
    };
    const use = (api: Api): Promise<void> => read(session, api, options.from as string | undefined, reading);
    await withApi(session, use, { onlyAgent: isFollowing });
    return 0;
  },
};
