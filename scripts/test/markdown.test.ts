import { expect, it } from 'vitest';
import { readCodeBlocks } from '../docs/markdown.ts';

const readPaths = (markdown: string) => readCodeBlocks(markdown).map(({ path }) => path);

it('reads the language, the line and the code of each block', () => {
  expect(
    readCodeBlocks('# Title\n\n```ts\nconst a = 1;\n```\n\n- In a list:\n\n  ```sh\n  ls\n  ```\n'),
  ).toEqual([
    { language: 'ts', line: 4, code: 'const a = 1;\n' },
    { language: 'sh', line: 10, code: 'ls\n' },
  ]);
});

it('reads the project that a block is about', () => {
  const markdown = '```diff workers\n+a\n```\n\n```diff\n+a\n```\n\n```json title="a.json"\n{}\n```\n';
  expect(readCodeBlocks(markdown).map(({ language, project }) => [language, project])).toEqual([
    ['diff', 'workers'],
    ['diff', undefined],
    ['json', undefined],
  ]);
});

it.each([
  ['```ts\n// src/worker.ts\nexport {};\n```', 'src/worker.ts'],
  ['```js\n// client.js\nexport {};\n```', 'client.js'],
  ['```jsonc\n// wrangler.jsonc\n{}\n```', 'wrangler.jsonc'],
  ['```json title="package.json"\n{}\n```', 'package.json'],
  ['```text title=".gitignore"\nnode_modules/\n```', '.gitignore'],
])('reads the path of the file in %j', (markdown, path) => {
  expect(readPaths(markdown)).toEqual([path]);
});

it.each([
  '```ts\nexport {};\n// src/worker.ts\n```',
  '```ts\n// Starts src/worker.ts\nexport {};\n```',
  '```ts\n// src/worker.ts, without imports\nexport {};\n```',
  '```json\n{ "title": "package.json" }\n```',
])('finds no path in %j', (markdown) => {
  expect(readPaths(markdown)).toEqual([undefined]);
});
