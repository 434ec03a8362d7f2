/**
 * Training: courses, who was signed off for them by whom, until when, and what was taken back. Doors and
 * machines read it to know who may use them. Rules: docs/design/dapps.md.
 */
import {
  type Act,
  type Command,
  commandsOf,
  type Dapp,
  dateOfMs,
  fold,
  type Handler,
  type Input,
  type State,
  tryActs,
  type Verdict,
} from "../../sdk/index.ts";
import { renew, revoke, signOff } from "./certify.ts";
import { putCourse } from "./courses.ts";
import { queries } from "./queries.ts";
import { certificateIn } from "./state.ts";

/** Each certificate that an entry touched is of a course, not signed off by its holder, and does not end before it began. */
async function test(input: Input, _before: State, after: State): Promise<Verdict> {
  const findings: string[] = [];
  for (const { id, acts } of input.entries) {
    for (const [type, body] of acts) {
      if (!type.startsWith("certificate.")) continue;
      const fault = await faultOf(after, body as unknown as { person: string; course: string });
      if (fault !== undefined) findings.push(`entry ${id}: ${fault}`);
    }
  }
  return findings.length === 0 ? { verdict: "PASS" } : { verdict: "FAIL", findings };
}

async function faultOf(
  after: State,
  { person, course }: { person: string; course: string },
): Promise<string | undefined> {
  const certificate = await certificateIn(after, person, course);
  if (certificate === undefined) return `there is no certificate of ${course} for ${person}`;
  if ((await after.get(`course/${course}`)) === undefined) return `there is no course ${course}`;
  if (certificate.by === person) return `${person} signed off themselves for ${course}`;
  const { sinceMs, untilMs = Number.POSITIVE_INFINITY } = certificate;
  return untilMs > sinceMs ? undefined : `the certificate of ${course} for ${person} ends before it begins`;
}

const handlers: Readonly<Record<string, Handler>> = {
  "course.put": putCourse,
  "certificate.sign-off": signOff,
  "certificate.renew": renew,
  "certificate.revoke": revoke,
};

/** Who shows that they can is signed off, or renewed where they hold the course: today, if no date is said. */
const award: Command = async (args, state, actor) => {
  const { on = dateOfMs(actor.timeMs), ...who } = args as unknown as Award;
  const known = await certificateIn(state, who.person, who.course);
  const isHeld = known !== undefined && known.revoked === undefined;
  const acts: Act[] = [[isHeld ? "certificate.renew" : "certificate.sign-off", { ...who, on }]];
  await tryActs(handlers, acts, { state, actor });
  return acts;
};

/** As the command's schema has it. */
interface Award {
  readonly person: string;
  readonly course: string;
  readonly on?: string;
  readonly untilMs?: number;
}

export const certification: Dapp = {
  reduce: (input, state) => fold(input, state, handlers),
  test,
  commands: { ...commandsOf(handlers), award },
  queries,
};
