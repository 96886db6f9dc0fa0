/** The instructions for each client, which `npm run setup` prints and the setup page shows. */

export interface SetupGroup {
  readonly title: string;
  /** What a reader must know before choosing a client of the group, for example what it needs. */
  readonly status?: string;
  /** Paragraphs before the sections. */
  readonly introduction: readonly string[];
  /** Values that all sections use. */
  readonly fields?: readonly SetupField[];
  readonly sections: readonly SetupSection[];
  /** Whether the setup page shows the sections only after a click. Default: `false`. */
  readonly isCollapsed?: boolean;
}

export interface SetupSection {
  /** The client, or the place in the GPT editor. */
  readonly title: string;
  /** What to do, in order. */
  readonly steps?: readonly string[];
  readonly fields: readonly SetupField[];
  /** A paragraph after the fields. */
  readonly note?: string;
}

export interface SetupField {
  /** The name in the client or in the GPT editor. */
  readonly name: string;
  readonly value: string;
}

export interface SetupSettings {
  /** The origin of the app. */
  readonly origin: string;
  readonly gptClientId: string;
  /** The secret, or text that says where to find it. */
  readonly gptClientSecret: string;
}
