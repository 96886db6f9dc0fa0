/** Checks that responses cannot control the terminal that the demo and the setup print to. */
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { createTerminal } from '../demo/terminal.ts';

const controls = '\x1b[2J\x1b]0;x\x07\r\b\x7f\x9b31m\u2028\u202e\u2066';

it('W22.5 the demo: escapes control characters in everything that it receives', () => {
  let written = '';
  const terminal = createTerminal((text) => {
    written += text;
  });
  terminal.message('←', `200 ${controls}`);
  terminal.details([[`set-cookie ${controls}`, `a\nb ${controls}`]]);
  terminal.json(`{\n  "text": "${controls}"\n}`);
  terminal.print(controls);
  // The colors are those of the demo itself.
  const shown = stripVTControlCharacters(written);
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  expect(shown.match(/\\u001b\[2J\\u001b\]0;x\\u0007/g)).toHaveLength(5);
  // A value stays on its line, and JSON keeps its lines.
  expect(shown.split('\n')).toHaveLength(7);
});
