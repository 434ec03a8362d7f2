import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { DATA, demoFolder, gdoJson, INDEPENDENT, type Line, leftovers, runDemo } from "../support/demo-run.ts";

const TEN_MS = 10 * 3_600_000;
const FOURTEEN_MS = 14 * 3_600_000;
const SPEED = "100000";

interface Counts {
  readonly frames: number;
  readonly granted: number;
  readonly denied: number;
  readonly frameErrors: number;
  readonly offlineDecisions: number;
}

/** What the shell script reads from the two files; the outage is the front door's. */
function independent(acl: string): Record<string, Counts> {
  const output = execFileSync(INDEPENDENT, [acl, join(DATA, "day.jsonl"), String(TEN_MS), String(FOURTEEN_MS)], {
    encoding: "utf8",
  });
  const rows = output
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  return Object.fromEntries(
    rows.map(([reader = "", ...numbers]) => {
      const [frames = 0, granted = 0, denied = 0, frameErrors = 0, within = 0] = numbers.map(Number);
      return [reader, { frames, granted, denied, frameErrors, offlineDecisions: reader === "front-door" ? within : 0 }];
    }),
  );
}

function countsOf(doors: Record<string, Counts>): Record<string, Counts> {
  const named = Object.entries(doors).map(([reader, { frames, granted, denied, frameErrors, offlineDecisions }]) => {
    return [reader, { frames, granted, denied, frameErrors, offlineDecisions }] as const;
  });
  return Object.fromEntries(named);
}

/** Who came to the lathe: what the door said, and whether it was cut off. Its day is the demo's own. */
const VISITS = [
  "Kim on line: membership_expired, certificate_expired",
  "Robin on line: granted",
  "Robin cut off: granted",
  "Kim cut off: membership_expired, certificate_expired",
  "Robin cut off: certificate_expired",
];

function visitsOf(lines: readonly Line[]): string[] {
  const visits = lines.filter(({ type, who }) => type === "frame" && who !== undefined);
  return visits.map(
    ({ who, isOffline, reasons }) =>
      `${who} ${isOffline === true ? "cut off" : "on line"}: ${(reasons as string[]).join(", ")}`,
  );
}

for (const acl of ["acl.csv", "acl.json"]) {
  test.serial(
    `the day's counts are those of an independent reading of ${acl} and the day, and nothing is left behind`,
    async (t) => {
      t.timeout(600_000);
      const folder = demoFolder();
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const { status, lines, errors } = await runDemo(["--home", folder, "--speed", SPEED, "--acl", join(DATA, acl)]);
      t.is(status, 0, errors);
      const summary = lines.at(-1) as unknown as {
        type: string;
        doors: Record<string, Counts>;
        nodes: Record<string, { entries: number; stateRoot: string }>;
        lathe: { deniedBy: Record<string, number> };
        merges: number;
        void: number;
      };
      t.is(summary.type, "summary");
      t.deepEqual(countsOf(summary.doors), independent(join(DATA, acl)));
      t.deepEqual(visitsOf(lines), VISITS);
      t.deepEqual(summary.lathe.deniedBy, { certificate_expired: 1, membership_expired: 2 });
      const nodes = Object.values(summary.nodes);
      t.is(nodes.length, 3);
      t.is(new Set(nodes.map(({ stateRoot }) => stateRoot)).size, 1);
      t.is(new Set(nodes.map(({ entries }) => entries)).size, 1);
      t.is(summary.void, 0);
      t.true(summary.merges > 0);
      for (const node of Object.keys(summary.nodes)) {
        const verified = gdoJson(join(folder, node), ["verify"]).at(-1);
        t.is(verified?.bad, 0, node);
      }
      t.deepEqual(leftovers(folder), []);
    },
  );
}
