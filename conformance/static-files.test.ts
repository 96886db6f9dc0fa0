/**
 * Tests that static files are served without the app. The app has no static files, so a file that is served
 * did not reach it.
 */
import { readdir } from 'node:fs/promises';
import { expect, inject, it } from 'vitest';
import { publicFolder } from '../scripts/app/paths.ts';

const { origin } = inject('system');

/**
 * The paths of all files except those that configure how files are served, and the URLs that link to pages.
 */
const paths = (await readdir(publicFolder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && !/^[_.]/.test(entry.name))
  .map(({ parentPath, name }) => `${parentPath.slice(publicFolder.length)}/${name}`)
  .flatMap((path) => [path, path.replace(/(index)?\.html$/, '')]);

it.each([...new Set(paths)])('%s is served without the app', async (path) => {
  const response = await fetch(origin + path);
  expect(response.status).toBe(200);
  // Set by `_headers`, which does not apply to responses of the app.
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
