/**
 * Checks that every public export and member has a docstring, that every type in the public API is exported,
 * and that docs/reference/api was generated from the current docstrings.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listDifferences, referenceFolder } from './api-reference/pages.ts';
import { readReference } from './api-reference/reference.ts';

const folder = await mkdtemp(join(tmpdir(), 'api-reference-'));
try {
  const reference = await readReference();
  await reference.write(folder);
  const outdated = listDifferences(folder, referenceFolder);
  for (const file of outdated) console.error(`${referenceFolder}/${file} is out of date`);
  if (outdated.length > 0) console.error('Run `npm run docs:api` and commit the result.');
  if (!reference.isComplete || outdated.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
