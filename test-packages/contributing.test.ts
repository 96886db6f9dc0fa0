/** Makes the change that CONTRIBUTING.md describes, in a copy of the repository, and runs its commands. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { listRepositoryFiles } from '../scripts/app/repository-files.ts';
import { applyDiff } from '../scripts/docs/diffs.ts';
import { readCodeBlocks } from '../scripts/docs/markdown.ts';
import { runShell } from './examples/example.ts';

const copy = join(mkdtempSync(join(tmpdir(), 'contributing-')), 'words');
afterAll(() => rmSync(dirname(copy), { recursive: true }));

const page = readFileSync('CONTRIBUTING.md', 'utf8');
const steps = page.slice(page.indexOf('## Your first change'), page.indexOf('## Rules for a change'));
const blocks = readCodeBlocks(steps);
const commands = blocks
  .filter(({ language, code }) => language === 'sh' && !code.startsWith('# needs '))
  .flatMap(({ code }) => code.trim().split('\n'));
const diffs = blocks.filter(({ language }) => language === 'diff').map(({ code }) => code);
/** The files that the two diffs change, in the text before each of them. */
const files = [...steps.matchAll(/In `(packages\/[\w/.-]+\.ts)`:/g)].map(([, file = '']) => file);

const changeFile = (file: string, diff: string): void => {
  const result = applyDiff(readFileSync(join(copy, file), 'utf8'), diff);
  if (result.kind !== 'applied') throw new Error(`The diff does not apply to ${file}.`);
  writeFileSync(join(copy, file), result.content);
};

const copyRepository = (): void => {
  for (const file of listRepositoryFiles()) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file));
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
};

it('the first change in CONTRIBUTING.md works as described', async () => {
  copyRepository();
  const [installCommand, findCommand = '', testCommand = '', ...others] = commands;
  // `.ci/run` runs the first command and the last one.
  expect([installCommand, ...others]).toEqual([
    'npm ci',
    testCommand,
    'npx biome check --write packages',
    'npm run check',
  ]);
  const found = await runShell(findCommand, copy);
  for (const file of files) expect(found).toContain(file);

  const [testFile = '', sourceFile = ''] = files;
  const [testDiff = '', sourceDiff = ''] = diffs;
  await expect(runShell(testCommand, copy)).resolves.toMatch(/Tests .*passed/);
  changeFile(testFile, testDiff);
  await expect(runShell(testCommand, copy)).rejects.toMatchObject({
    stdout: expect.stringMatching(/Tests .*1 failed/),
  });
  changeFile(sourceFile, sourceDiff);
  await expect(runShell(testCommand, copy)).resolves.toMatch(/Tests .*passed/);
  await runShell('npx biome check packages', copy);
});
