/** The definition of an environment variable, from which its documentation is generated. */

/** Whether a variable must be set, or what applies otherwise. */
type Requirement =
  /** It must be set: always, or under a condition such as "unless `ORIGIN` is on loopback". */
  | { readonly required: true | string }
  /** It can be omitted. */
  | { readonly default: string };

/** An environment variable. Its texts are Markdown without links. */
export type Variable = Requirement & {
  readonly name: string;
  /** What it is, and its format: short sentences. */
  readonly description: string;
  /** Default: it is not secret. */
  readonly isSecret?: true;
  /** The programs that read it, as Markdown. */
  readonly readBy: readonly string[];
};

/** Variables that belong together. */
export interface VariableGroup<Member extends Variable = Variable> {
  readonly title: string;
  /** What is true of all of them. Markdown without links. */
  readonly text?: string;
  /** The page that explains more, relative to `docs`. */
  readonly page?: string;
  readonly variables: readonly Member[];
}

/** The items of a JSON array in a variable. */
export interface ItemDefinition {
  /** The function whose options the members of an item are. */
  readonly optionsOf: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** What the page of options does not say. Markdown without links. */
  readonly notes: string;
}

/**
 * Describes the items in Markdown.
 * @param reference a sentence that says where the options are explained
 */
export const describeItems = (
  { optionsOf, required, optional, notes }: ItemDefinition,
  reference: string,
): string =>
  `Each item is an object with options of \`${optionsOf}()\`: the required ones are ${formatList(required)}, and the ` +
  `optional ones ${formatList(optional)}. ${reference} ${notes}`;

/** `a`, `b` and `c` */
const formatList = (names: readonly string[]): string =>
  new Intl.ListFormat('en-GB').format(names.map((name) => `\`${name}\``));
