/** A door process for tests: `node door-main.js HOME`, until SIGTERM or the end of its input. Says "ready" when its readers are open. */
import { once } from "node:events";
import { runDoor } from "../../lib/agent/door/process.ts";
import { pinoLog } from "../../lib/agent/pino-log.ts";

process.stdin.resume(); // A test run that is killed must not leave doors behind.
const told = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT"), once(process.stdin, "end")]);
const door = await runDoor({ root: process.argv[2] as string, log: pinoLog("door", "warn") });
process.stdout.write(`ready ${door.guardianPid}\n`);
await told;
await door.close();
process.stdin.destroy();
