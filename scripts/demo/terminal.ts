/**
 * Formats the demo's output: headings, arrows, colors (none with NO_COLOR), truncated secrets and escaped
 * control characters.
 */
import { styleText } from 'node:util';
import { escapeControls, escapeControlsInLines } from '../app/command.ts';

export interface Terminal {
  /** Starts a numbered step. */
  step(title: string): void;
  /** Prints a line about a message: `→` if it was sent, `←` if it was received. */
  message(direction: '→' | '←', line: string): void;
  /** Prints a name and a value per line, with secrets truncated. */
  details(entries: Iterable<readonly [name: string, value: string]>): void;
  /** Prints lines of JSON, with secrets truncated. */
  json(text: string): void;
  /** Prints a line of explanation. */
  print(line: string): void;
}

export const createTerminal = (write: (text: string) => void): Terminal => {
  let steps = 0;
  return {
    step(title) {
      write(`\n${styleText('bold', `${++steps}  ${title}`)}\n`);
    },
    message(direction, line) {
      write(
        `   ${styleText(direction === '→' ? 'cyan' : 'green', `${direction} ${escapeControls(line)}`)}\n`,
      );
    },
    details(entries) {
      for (const [name, value] of entries)
        write(`     ${styleText('dim', `${escapeControls(name)}:`)} ${escapeControls(maskSecrets(value))}\n`);
    },
    json(text) {
      write(`${escapeControlsInLines(maskSecrets(text)).replaceAll(/^/gm, '     ')}\n`);
    },
    print(line) {
      write(`   ${escapeControls(line)}\n`);
    },
  };
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Truncates every word that may be a secret: 24 or more URL-safe characters that are not a UUID and not part
 * of a URL.
 */
const maskSecrets = (text: string): string =>
  text.replaceAll(/(?<![\w./-])[\w.~-]{24,}(?![\w/-])/g, (match) =>
    uuid.test(match) ? match : `${match.slice(0, 6)}…(${match.length} characters)`,
  );
