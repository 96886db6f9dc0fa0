import { expect, it } from 'vitest';
import { findLongLines, hasPurpose } from '../docs/pages.ts';

const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

it.each([
  ['# Keys\n\nHow to rotate keys.\n', true],
  ['<!-- Generated. -->\n\n# Keys\n\nHow to rotate keys.\n', true],
  ['# Keys\n\n## Rotate\n\nHow to rotate keys.\n', false],
  ['# Keys\n\n- How to rotate keys.\n', false],
  ['# Keys\n\n| a | b |\n|---|---|\n| c | d |\n', false],
  ['How to rotate keys.\n', false],
  ['# Keys\n', false],
])('of %j returns whether a sentence follows the title: %j', (markdown, expected) => {
  expect(hasPurpose(markdown)).toBe(expected);
});

it('finds lines of prose that are longer than 100 characters', () => {
  // 20 words have 99 characters.
  const markdown = `${words(20)}\n${words(21)}\n\n- ${words(20)}\n  ${words(2)}\n\n> ${words(21)}\n`;
  expect(findLongLines(markdown)).toEqual([2, 4, 7]);
});

it.each([
  `# ${words(30)}\n`,
  `| ${words(30)} |\n|---|\n| ${words(30)} |\n`,
  `\`\`\`sh\n${words(30)}\n\`\`\`\n`,
  `<img src="a.png" alt="${words(30)}">\n`,
  `- [link](https://example.com/${'x'.repeat(120)})\n`,
  `\`${words(30)}\` is one piece of inline code\n`,
])('allows %j', (markdown) => {
  expect(findLongLines(markdown)).toEqual([]);
});
