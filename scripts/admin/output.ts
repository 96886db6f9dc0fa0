/** The output of a command. */
export interface CommandOutput {
  /** The output with `--json`. */
  readonly json: unknown;
  /** The output as readable text. */
  readonly text: string;
}
