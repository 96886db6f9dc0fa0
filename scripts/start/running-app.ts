/** The options of `npm start`, and what it runs, with or without a tunnel. */
import type { Platform } from '../app/paths.ts';
import type { Listening } from '../local-system/dev-server.ts';

export interface StartOptions {
  readonly platform: Platform;
  readonly port: number;
  readonly fakeProviderPort: number;
  readonly dataFolder: string;
  readonly debugger: 'closed' | 'open';
  readonly log: (line: string) => void;
}

export interface RunningApp {
  /** The text that `npm start` prints: addresses, commands and settings. */
  readonly summary: string;
  /** Resolves with the reason if the app ends without `close`. */
  readonly unexpectedExit: Promise<string>;
  close(): Promise<void>;
}

/** Returns the lines of the summary about the debugger, or an empty string if there is none. */
export const formatDebuggerLines = ({ debuggerUrl }: Listening): string =>
  debuggerUrl === undefined
    ? ''
    : `
  Debugger           ${debuggerUrl}
                     every process on this machine can read all keys and secrets through it
`;
