/** Work that lasts, wherever it runs: asked now and then how far it is. */
import type { Api } from "../agent/index.ts";
import type { Session } from "./command.ts";
import { type Progress, ProgressDisplay } from "./progress.ts";

const ASK_EVERY_MS = 200;

/** Calls a method that has a `…Progress` beside it, and shows what that says. */
export async function watched(
  session: Session,
  api: Api,
  method: "backup" | "gc" | "imageImport" | "verify",
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const display = await ProgressDisplay.open(session);
  const job = `${process.pid}-${Date.now()}`;
  let isDone = false;
  const done = (api.call(method, { ...params, job }) as Promise<unknown>).finally(() => {
    isDone = true;
  });
  const watch = async (): Promise<void> => {
    for (;;) {
      await Promise.race([done, new Promise((wake) => setTimeout(wake, ASK_EVERY_MS).unref())]);
      if (isDone) return;
      const progress = (await api.call(`${method}Progress`, { job })) as Partial<Progress>;
      if (progress.bytes !== undefined) display.show({ ...progress, bytes: progress.bytes });
    }
  };
  try {
    const [result] = await Promise.all([done, watch()]);
    return result;
  } finally {
    display.close();
  }
}
