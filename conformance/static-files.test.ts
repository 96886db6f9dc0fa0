/** Static files cost no call of the app: it knows none of them, so what is served, something else served. */
import { readdir } from 'node:fs/promises';
import { expect, inject, it } from 'vitest';
import { publicFolder } from '../scripts/app/paths.ts';

const { origin } = inject('system');

/** The files but for those that say how the others are served, under the names that pages are linked by. */
const paths = (await readdir(publicFolder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && !/^[_.]/.test(entry.name))
  .map(({ parentPath, name }) => `${parentPath.slice(publicFolder.length)}/${name}`)
  .flatMap((path) => [path, path.replace(/(index)?\.html$/, '')]);

it.each([...new Set(paths)])('%s is served without the app', async (path) => {
  const response = await fetch(origin + path);
  expect(response.status).toBe(200);
  // Set by `_headers`, which says nothing of what the app answers.
  expect(response.headers.get('content-security-policy')).toMatch(/; form-action 'none';/);
});

it.each(['/nothing', '/style.css/x', '/_routes.json', '/_headers', '/.assetsignore'])(
  '%s is no file, and the app says so',
  async (path) => {
    const response = await fetch(origin + path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  },
);
