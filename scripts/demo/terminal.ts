/** How the demonstration looks in a terminal: headings, arrows, colours (none with NO_COLOR), and secrets cut short. */
import { styleText } from 'node:util';

export interface Terminal {
  /** Begins a numbered step. */
  step(title: string): void;
  /** One line of the conversation, `→` for what is sent and `←` for what comes back. */
  arrow(direction: '→' | '←', line: string): void;
  /** Lines below it: name and value, secrets cut short. */
  details(entries: Iterable<readonly [name: string, value: string]>): void;
  /** A remark. */
  print(line: string): void;
}

export const createTerminal = (write: (text: string) => void): Terminal => {
  let steps = 0;
  return {
    step(title) {
      write(`\n${styleText('bold', `${++steps}  ${title}`)}\n`);
    },
    arrow(direction, line) {
      write(`   ${styleText(direction === '→' ? 'cyan' : 'green', `${direction} ${line}`)}\n`);
    },
    details(entries) {
      for (const [name, value] of entries)
        write(`     ${styleText('dim', `${name}:`)} ${maskSecrets(value)}\n`);
    },
    print(line) {
      write(`   ${line}\n`);
    },
  };
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Cuts every word that may be a secret: 24 and more characters of base64url that are no UUID and no part of an address. */
const maskSecrets = (text: string): string =>
  text.replaceAll(/(?<![\w./-])[\w.-]{24,}(?![\w/-])/g, (word) =>
    uuid.test(word) ? word : `${word.slice(0, 6)}…(${word.length} characters)`,
  );
