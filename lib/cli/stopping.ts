/** When a long-running command is asked to stop. */

/** One Ctrl-C may come twice: from the terminal, and from npm, which passes it on. */
const SAME_WISH_MS = 1000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves at the first signal; with `withParent` also when standard input ends, so that what a
 * supervisor started does not outlive it. A second signal during the shutdown ends at once.
 */
export function untilStopped(options: { withParent: boolean }): Promise<void> {
  return new Promise((resolve) => {
    let askedMs: number | undefined;
    const stop = (): void => {
      if (askedMs !== undefined && Date.now() - askedMs < SAME_WISH_MS) return;
      if (askedMs !== undefined) process.exit(1);
      askedMs = Date.now();
      process.stdin.destroy(); // An open input would keep the process alive after its work is done.
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    if (!options.withParent) return;
    const onEnd = (): void => {
      if (askedMs === undefined) stop();
    };
    process.stdin.on("close", onEnd).on("end", onEnd).on("error", onEnd).resume();
  });
}
