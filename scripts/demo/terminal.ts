/** Formats the demo's output: headings, arrows, colors (none with NO_COLOR) and truncated secrets. */
import { styleText } from 'node:util';

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
      write(`   ${styleText(direction === '→' ? 'cyan' : 'green', `${direction} ${line}`)}\n`);
    },
    details(entries) {
      for (const [name, value] of entries)
        write(`     ${styleText('dim', `${name}:`)} ${maskSecrets(value)}\n`);
    },
    json(text) {
      write(`${maskSecrets(text).replaceAll(/^/gm, '     ')}\n`);
    },
    print(line) {
      write(`   ${line}\n`);
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
