/** What `npm start` has running, whichever way it was asked for. */
import type { Platform } from '../platform/platform.ts';

export interface StartOptions {
  readonly platform: Platform;
  readonly port: number;
  readonly standInPort: number;
  readonly dataFolder: string;
  readonly log: (line: string) => void;
}

export interface Started {
  /** Where everything is. */
  readonly summary: string;
  /** Settles with the reason when a part ends without having been told to. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}
