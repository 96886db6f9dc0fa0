/**
 * Checks that every public export and member has a docstring, that every type in the public API is exported,
 * that every option has a default in its docstring and a place on the page of options, and that the generated
 * pages, `apps/words/.dev.vars.example` and `llms.txt` are up to date.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedPaths, listDifferences, writeGeneratedFiles } from './docs/generated-files.ts';

const folder = await mkdtemp(join(tmpdir(), 'reference-'));
try {
  const isComplete = await writeGeneratedFiles(folder);
  const outdated = listDifferences(folder, '.', generatedPaths);
  for (const file of outdated) console.error(`${file} is out of date`);
  if (outdated.length > 0) console.error('Run `npm run docs:reference` and commit the result.');
  if (!isComplete || outdated.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
