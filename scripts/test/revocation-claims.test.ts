/** Checks what the docs, the pages and the commands say about how soon a revoked token stops working. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  maxRevocationAge,
  maxRevocationAgeInOutage,
} from '../../packages/assistant-auth/src/storage/revocation-cache.ts';
import { listRepositoryFiles } from '../app/repository-files.ts';

const pages = listRepositoryFiles('*.md', '*.html', '*.ts')
  // A decision record says what applied at its time, and the titles of tests need not explain everything.
  .filter((file) => !/^docs\/decisions\/|\.test\.ts$|^test-packages\/.*node_modules/.test(file));

/** Splits a page into paragraphs, items and table rows. */
const splitPassages = (text: string): readonly string[] => text.split(/\n\s*\n|\n(?=\s*[|-] )/);

const claims = pages.flatMap((file) =>
  splitPassages(readFileSync(file, 'utf8'))
    .filter((passage) => /(?:within|for(?: up to)?) (?:ten|10) seconds/.test(passage))
    .filter((passage) => /revoked token|access token|its tokens|that you disconnect/i.test(passage))
    .map((passage) => [file, passage] as const),
);

it('says what applies while storage is unreachable wherever it says how soon a revoked token stops working', () => {
  expect([maxRevocationAge, maxRevocationAgeInOutage]).toEqual([10, 60]);
  expect(claims.length).toBeGreaterThan(8);
  const incomplete = claims.filter(([, passage]) => !/\b60\b/.test(passage));
  expect(incomplete).toEqual([]);
});
