/** What an MCP server offers besides its tools: its name, prompts and resources. */

/** Identifies an MCP server to clients. */
export interface ServerInfo {
  /** The name of the server for programs, such as `words-with-chat`. */
  readonly name: string;
  /** The name that clients show. Default: `name`. */
  readonly title?: string;
  /** The version of the server, such as `1.0.0`. */
  readonly version: string;
}

/**
 * A prompt: a message that the user can choose to send to the model.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
export interface PromptDefinition {
  /** Identifies the prompt, unique in the server. */
  readonly name: string;
  /** The name that clients show. */
  readonly title: string;
  /** What the prompt is for. */
  readonly description: string;
  /** The values that the user fills in. Default: none. */
  readonly arguments?: readonly PromptArgument[];
  /**
   * Returns the text of the message, which has the role `user`.
   * @param values the arguments that the user filled in, by name
   */
  readonly text: (values: Readonly<Record<string, string>>) => string;
}

/** A value that the user fills in before a prompt is sent. */
export interface PromptArgument {
  /** Identifies the value, unique in the prompt. */
  readonly name: string;
  /** What to fill in. */
  readonly description: string;
  /** Whether the user must fill in the value. Default: `false`. */
  readonly required?: boolean;
}

/**
 * A resource: text that clients can read.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources
 */
export interface ResourceDefinition {
  /** The URI of the resource, unique in the server. */
  readonly uri: string;
  /** Identifies the resource to programs. */
  readonly name: string;
  /** The name that clients show. Default: `name`. */
  readonly title?: string;
  /** What the resource contains. Default: no description. */
  readonly description?: string;
  /** The media type of the text, such as `text/plain`. */
  readonly mimeType: string;
  /**
   * The text, or a function that returns it, which is called each time a client reads the resource. If it throws
   * or rejects, the error is logged, and the client gets only a reference ID.
   */
  readonly text: string | (() => string | Promise<string>);
  /** The member `_meta` of the resource and its content: JSON values. Default: none. */
  readonly meta?: Readonly<Record<string, unknown>>;
}
