/**
 * When a device must begin a new incarnation of its log, and when two incarnations of one device are alive at
 * once [L8]. Pure: what the device remembers, what its machine says and what peers hold come in.
 */

/** What tells a machine and a home from their copies; a fact that cannot be read is left out. */
export type Place = Readonly<Record<string, string>>;

/** What a device remembers of its own log. */
export interface OwnMemory {
  /** Incarnation; undefined before the first. */
  readonly l: string | undefined;
  /** Where it was when it signed last; undefined where nobody looked. */
  readonly place: Place | undefined;
}

export type StartDecision =
  | { readonly type: "first" }
  | { readonly type: "go-on"; readonly l: string }
  /** These facts are not what they were: a copy, a restored backup, or a home that was moved. */
  | { readonly type: "moved"; readonly facts: readonly string[] };

/** What a device does at its start. Only a fact that is known then and now can have changed. */
export function decideStart({ l, place }: OwnMemory, now: Place | undefined): StartDecision {
  if (l === undefined) return { type: "first" };
  const facts = Object.keys(place ?? {}).filter((fact) => {
    const seen = now?.[fact];
    return seen !== undefined && seen !== place?.[fact];
  });
  return facts.length === 0 ? { type: "go-on", l } : { type: "moved", facts: facts.sort() };
}

/** One incarnation of a device's log, as blocks tell of it. */
export interface IncarnationLog {
  readonly l: string;
  readonly newest: number;
  /** Clock of its newest block. */
  readonly c: number;
  /** Which other logs of the device name this one, and the least number that any block but their first names. */
  readonly named: readonly { readonly by: string; readonly least: number | undefined }[];
}

/** Clocks after which a log that stays silent while another goes on counts as ended. */
const SILENT_CLOCKS = 1_000;

/**
 * Pairs of incarnations that were going on at once: one went on after the other had taken note of it. What a
 * first block names does not count: it is what a copy remembers, and the original may have gone on since.
 */
export function liveTwins(logs: readonly IncarnationLog[]): (readonly [string, string])[] {
  const clocks = new Map(logs.map(({ l, c }) => [l, c]));
  const pairs = logs.flatMap(({ l, newest, c, named }) =>
    named
      .filter(({ least }) => least !== undefined && newest > least)
      .filter(({ by }) => Math.abs(c - (clocks.get(by) ?? c)) <= SILENT_CLOCKS)
      .map(({ by }) => (l < by ? ([l, by] as const) : ([by, l] as const))),
  );
  return [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
}
