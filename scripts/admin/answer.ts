/** What a command has to say. */
export interface Answer {
  /** To machines. */
  readonly json: unknown;
  /** To people. */
  readonly text: string;
}
