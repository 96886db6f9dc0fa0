/**
 * Tests the site as the running system serves it: every page at its URL, without JavaScript, and nothing
 * else.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { publicFolder } from '../scripts/app/paths.ts';

const { origin, gpt } = inject('system');

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(origin + path, { headers, redirect: 'manual' });

const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

describe.each([
  ['/', 'text/html; charset=utf-8'],
  ['/privacy', 'text/html; charset=utf-8'],
  ['/terms', 'text/html; charset=utf-8'],
  ['/setup', 'text/html; charset=utf-8'],
  ['/style.css', 'text/css; charset=utf-8'],
  ['/robots.txt', 'text/plain; charset=utf-8'],
  ['/favicon.svg', 'image/svg+xml'],
  ['/icons/chatgpt.svg', 'image/svg+xml'],
  ['/icons/claude.svg', 'image/svg+xml'],
  ['/apple-touch-icon.png', 'image/png'],
  ['/social-card.png', 'image/png'],
])('%s', (path, type) => {
  it('is served with its content type and the security headers', async () => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-security-policy')).toBe(policy);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('W4.1 no CORS: no page of another origin can read it', async () => {
    const { headers } = await get(path, { origin: 'https://evil.example' });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

it('W4.1 removes the CORS header that Pages, unlike the local server, adds to every file', async () => {
  expect(await readFile(join(publicFolder, '_headers'), 'utf8')).toMatch(
    /^\/\*\n(?: {2}.+\n)*? {2}! Access-Control-Allow-Origin$/m,
  );
});

describe('a page', () => {
  it.each(['/', '/privacy', '/terms', '/setup'])('%s contains no script and no style', async (path) => {
    expect(await (await get(path)).text()).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
  });

  it('that does not exist gets 404, with HTML for a browser and a problem document for a program', async () => {
    const page = await get('/nothing-here', { accept: 'text/html' });
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toBe(policy);
    const problem = await get('/nothing-here');
    expect([problem.status, problem.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });
});

describe('the landing page', () => {
  it('has absolute URLs in its metadata, so that other sites can show a preview', async () => {
    const page = await (await get('/')).text();
    expect(page).toContain(`<meta property="og:url" content="${origin}/">`);
    expect(page).toContain(`<meta property="og:image" content="${origin}/social-card.png">`);
  });

  it('has no button if there is no GPT to open', async () => {
    expect(await (await get('/')).text()).not.toMatch(/GPT_URL|class="button"/);
  });
});

describe('the setup page', () => {
  it('shows the URLs and the client ID, and never the secret', async () => {
    const page = await (await get('/setup')).text();
    for (const value of [
      ...['/authorize', '/token', '/openapi.json', '/privacy'].map((path) => origin + path),
      gpt.clientId,
    ])
      expect(page).toContain(`>${value}<`);
    expect(page).toContain('call post_score exactly once');
    expect(page).not.toContain(gpt.clientSecret);
  });
});

describe('static files', () => {
  it('are all served without the app', async () => {
    const files = (await readdir(publicFolder, { recursive: true, withFileTypes: true }))
      // These configure how the others are served.
      .filter((entry) => entry.isFile() && !/^[_.]/.test(entry.name))
      .map(({ parentPath, name }) => `${parentPath.slice(publicFolder.length)}/${name}`);
    expect(files).toEqual(expect.arrayContaining(['/index.html', '/privacy.html', '/style.css']));
    // Links to pages omit the file name extension.
    for (const path of new Set(files.flatMap((file) => [file, file.replace(/(index)?\.html$/, '')]))) {
      const response = await fetch(origin + path);
      expect([path, response.status]).toEqual([path, 200]);
      // Set by `_headers`, which does not apply to responses of the app.
      expect(response.headers.get('content-security-policy')).toMatch(/; form-action 'none';/);
    }
  });

  it.each(['/nothing', '/style.css/x', '/_routes.json', '/_headers', '/.assetsignore'])(
    '%s does not exist, and the app responds with 404',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    },
  );
});
