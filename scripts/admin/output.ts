/** What a command has to say. */
export interface CommandOutput {
  /** To machines. */
  readonly json: unknown;
  /** To people. */
  readonly text: string;
}
