/**
 * A transcript is a Markdown page whose fenced blocks with a node's name hold commands and what they
 * print. Commands run in the shell, in a folder of the transcript's own, each named node with a home
 * of its own; what differs from run to run is written as HASH, HEX, TIME, NUMBER or DIR, and `[..]`
 * stands for anything within a line. A status other than 0 follows the output as `[status]`.
 */
import { spawnSync } from "node:child_process";

export interface Step {
  readonly node: string;
  readonly command: string;
  readonly expected: string;
  readonly line: number;
}

/** The commands of a page, in order. */
export function stepsOf(markdown: string): Step[] {
  const steps: { node: string; command: string; expected: string[]; line: number }[] = [];
  let node: string | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^```\s*(\S*)/.exec(line);
    if (fence !== null) node = node === undefined ? (fence[1] ?? "") : undefined;
    else if (node === undefined || node === "") continue;
    else if (line.startsWith("$ ")) steps.push({ node, command: line.slice(2), expected: [], line: index + 1 });
    else if (line.startsWith("> ")) steps[steps.length - 1]!.command += `\n${line.slice(2)}`;
    else steps[steps.length - 1]?.expected.push(line);
  }
  return steps.map(({ expected, ...step }) => ({ ...step, expected: expected.join("\n") }));
}

const VARIABLES: readonly [RegExp, string][] = [
  [/"(timeMs|ms|pid|rssBytes|port|brokerPort)":\d+(?:\.\d+)?/g, '"$1":NUMBER'],
  [/\b[0-9a-f]{64}\b/g, "HASH"],
  [/\b[0-9a-f]{12,63}\b/g, "HEX"],
  [/\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+Z)?/g, "TIME"],
];

/** What a run printed, with what varies taken out. */
export function settled(output: string, folder: string): string {
  const text = output.replaceAll(folder, "DIR").trimEnd();
  return VARIABLES.reduce((so, [pattern, name]) => so.replace(pattern, name), text);
}

/** Equal line by line, where `[..]` in the expected stands for anything. */
export function matches(actual: string, expected: string): boolean {
  const have = actual.split("\n");
  const want = expected.trimEnd().split("\n");
  if (have.length !== want.length) return false;
  return want.every((line, index) => {
    const pattern = line.split("[..]").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${pattern.join(".*")}$`).test(have[index] ?? "");
  });
}

/** Runs one command; stdout and stderr come in the order in which they were written. */
export function run(step: Step, options: { folder: string; binFolder: string }): string {
  const { folder, binFolder } = options;
  const result = spawnSync("/bin/sh", ["-c", `exec 2>&1\n${step.command}`], {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: `${binFolder}:${process.env.PATH}`,
      HOME: folder,
      GDO_HOME: `${folder}/${step.node}`,
      NO_COLOR: "1",
      TZ: "Asia/Tokyo",
    },
  });
  const status =
    result.status === 0 ? "" : `${result.stdout.endsWith("\n") || result.stdout === "" ? "" : "\n"}[${result.status}]`;
  return settled(result.stdout + status, folder);
}
