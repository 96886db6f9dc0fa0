/** Between the local system and a platform: what is to be served, and the command that does. */

/** What the app is started with. */
export interface Served {
  readonly dataFolder: string;
  /** The folder of static files. */
  readonly site: string;
  /** The app's variables by name. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A command of wrangler's, to which address and port are still to be added. */
export interface ServeCommand {
  readonly args: readonly string[];
  /** Where it runs; left out: here. */
  readonly folder?: string;
}
