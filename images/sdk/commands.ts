/** Commands that are acts of the same name: each is refused at once for what a merge now would refuse [D7]. */
import { Draft, type Handler } from "./fold.ts";
import type { Act, Actor, Canonical, Command, Entry, State } from "./types.ts";

/** The id that an entry will have is not known before it is signed. */
const NO_ID = "0".repeat(64);

/** Tries acts on a state without keeping anything; throws the Refusal of the first that would be void. */
export async function tryActs(
  handlers: Readonly<Record<string, Handler>>,
  acts: readonly Act[],
  { state, actor }: { readonly state: State; readonly actor: Actor },
): Promise<void> {
  const { principal, author, rights, timeMs } = actor;
  const entry: Entry = { id: NO_ID, at: 0, author, principal, rights, timeMs, acts };
  const draft = new Draft(state, new Map());
  for (const [type, body] of acts) await handlers[type]?.(body, draft, entry);
}

/** One command for each of these handlers of acts. */
export function commandsOf(handlers: Readonly<Record<string, Handler>>): Readonly<Record<string, Command>> {
  const commandOf = (type: string): Command => {
    return async (args: Canonical, state, actor) => {
      const acts = [[type, args]] as const;
      await tryActs(handlers, acts, { state, actor });
      return acts;
    };
  };
  return Object.fromEntries(Object.keys(handlers).map((type) => [type, commandOf(type)]));
}
