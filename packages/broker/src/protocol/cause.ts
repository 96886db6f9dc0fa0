/** What lies beneath a refusal, as the log says it. */

/** Far more than any error of ours has beneath it; ends the walk where causes run in a circle. */
const deepest = 5;

/** Names an error and everything that caused it, outermost first. What is no error stands as its own text. */
export const describeCause = (cause: unknown, depth = deepest): string => {
  const beneath = cause instanceof Error ? cause.cause : undefined;
  if (beneath === undefined || depth === 0) return String(cause);
  return `${String(cause)}, because of ${describeCause(beneath, depth - 1)}`;
};

/** The calls that led to an error, where it has them; its message is left to `describeCause`. */
export const stackOf = (cause: unknown): string | undefined =>
  cause instanceof Error ? cause.stack?.match(/(?<=^\s*)at .*$/gm)?.join(' ') : undefined;
