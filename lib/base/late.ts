/** What is needed seldom is loaded when it is first called: a start pays for nothing that may never be asked for. */

/** The function that `load` gives, as one that loads it at its first call. */
export function late<A extends unknown[], R>(
  load: () => Promise<(...given: A) => R | Promise<R>>,
): (...given: A) => Promise<R> {
  return async (...given) => (await load())(...given);
}
