/** When a long-running command is asked to stop. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves at the first signal; with `withParent` also when standard input ends, so that what a
 * supervisor started does not outlive it. A second signal during the shutdown ends at once.
 */
export function untilStopped(options: { withParent: boolean }): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (): void => {
      if (asked) process.exit(1);
      asked = true;
      process.stdin.destroy(); // An open input would keep the process alive after its work is done.
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    if (!options.withParent) return;
    const onEnd = (): void => {
      if (!asked) stop();
    };
    process.stdin.on("close", onEnd).on("end", onEnd).on("error", onEnd).resume();
  });
}
