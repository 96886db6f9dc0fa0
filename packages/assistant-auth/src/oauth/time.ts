/** Units of time. Every instant in the broker is a whole number of seconds since 1970-01-01T00:00:00Z. */

/** A length of time in seconds. */
export type Seconds = number;

/** A length of time in milliseconds. */
export type Milliseconds = number;

/** An instant, in seconds since the Unix epoch. */
export type EpochSeconds = number;

/** Tells the current instant; passed in, so that tests own the time. */
export type Clock = () => EpochSeconds;
