/**
 * Tests the site as the running system serves it: every page at its URL, without JavaScript, and nothing
 * else.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { documentPaths, renderOpenApiDocument } from '../apps/words/src/api/openapi-document.ts';
import { siteLanguages } from '../apps/words/src/site-routes.ts';
import { publicFolder } from '../scripts/app/paths.ts';

const { origin, gpt } = inject('system');

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(origin + path, { headers, redirect: 'manual' });

const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const html = 'text/html; charset=utf-8';

const pagePaths = ['', '/en', '/de'].flatMap((folder) => [
  `${folder}/`,
  `${folder}/privacy`,
  `${folder}/terms`,
]);

describe.each<[path: string, type: string]>([
  ...[...pagePaths, '/en/404', '/de/404', '/setup'].map((path): [string, string] => [path, html]),
  ['/style.css', 'text/css; charset=utf-8'],
  ['/play.css', 'text/css; charset=utf-8'],
  ['/play.js', 'text/javascript; charset=utf-8'],
  ['/robots.txt', 'text/plain; charset=utf-8'],
  ['/favicon.svg', 'image/svg+xml'],
  ['/icons/chatgpt.svg', 'image/svg+xml'],
  ['/icons/claude.svg', 'image/svg+xml'],
  ['/apple-touch-icon.png', 'image/png'],
  ['/social-card.png', 'image/png'],
  ['/social-card-de.png', 'image/png'],
  ['/openapi.json', 'application/json'],
  ['/openapi.yaml', 'application/yaml'],
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
  it.each(['/', '/de/', '/en/privacy', '/de/terms', '/en/404', '/setup'])(
    '%s contains no script and no style',
    async (path) => {
      expect(await (await get(path)).text()).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
    },
  );

  it('that does not exist gets 404, with HTML for a browser and a problem document for a program', async () => {
    const page = await get('/nothing-here', { accept: 'text/html' });
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toBe(policy);
    const problem = await get('/nothing-here');
    expect([problem.status, problem.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });
});

describe('the language of a page', () => {
  const german = { 'accept-language': 'de-AT,de;q=0.9,en;q=0.8' };
  const english = { 'accept-language': 'en-US,en;q=0.9' };

  it.each(['/', '/privacy', '/terms'])('at %s is the one that the browser prefers', async (path) => {
    const etags = [];
    for (const [headers, language] of [
      [german, 'de'],
      [english, 'en'],
      [{}, 'en'],
      [{ 'accept-language': '*;;q=x,,' }, 'en'],
    ] as const) {
      const response = await get(path, headers);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-language')).toBe(language);
      expect(response.headers.get('vary')).toBe('Accept-Language');
      expect(response.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
      expect(await response.text()).toBe(await (await get(`/${language}${path}`)).text());
      etags.push(response.headers.get('etag'));
    }
    expect(etags[0]).toMatch(/^"\w+"$/);
    expect(new Set(etags).size).toBe(2);
  });

  it.each(['/', '/privacy', '/terms'])(
    'at %s is sent again only if the client has another version',
    async (path) => {
      const etag = (await get(path, german)).headers.get('etag') ?? '';
      const notModified = await get(path, { ...german, 'if-none-match': etag });
      expect([notModified.status, await notModified.text()]).toEqual([304, '']);
      expect(notModified.headers.get('vary')).toBe('Accept-Language');
      expect(notModified.headers.get('etag')).toBe(etag);
      const other = await get(path, { ...english, 'if-none-match': etag });
      expect([other.status, other.headers.get('content-language')]).toEqual([200, 'en']);
    },
  );

  it.each(['/', '/privacy', '/terms'])(
    'at %s is the same for HEAD, and other methods are refused',
    async (path) => {
      const head = await fetch(origin + path, { method: 'HEAD', headers: german });
      expect([head.status, head.headers.get('content-language'), await head.text()]).toEqual([200, 'de', '']);
      const post = await fetch(origin + path, { method: 'POST', headers: german });
      expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect(post.headers.get('content-type')).toBe('application/problem+json');
    },
  );

  it.each(['/en/', '/de/', '/en/privacy', '/de/terms'])(
    'at %s does not depend on the browser',
    async (path) => {
      const responses = [await get(path, german), await get(path, english)];
      const [body, otherBody] = await Promise.all(responses.map((response) => response.text()));
      expect(body).toBe(otherBody);
      for (const { status, headers } of responses)
        expect([status, headers.get('content-language'), headers.get('vary')]).toEqual([
          200,
          path.slice(1, 3),
          null,
        ]);
    },
  );

  it.each(siteLanguages)(
    'stays %s when a reader follows the links, whatever the browser prefers',
    async (language) => {
      // The account page and the play page are part of the app.
      const appPaths = ['/account', `/${language}/play`];
      const visited = new Set<string>();
      const pending = [`/${language}/`];
      for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
        if (visited.has(path)) continue;
        visited.add(path);
        const response = await get(path, language === 'de' ? english : german);
        expect([path, response.status, response.headers.get('content-language')]).toEqual([
          path,
          200,
          language,
        ]);
        for (const [, attributes = ''] of (await response.text()).matchAll(/<a ([^>]*)/g)) {
          const [, target] = /href="(\/[^"#]*)/.exec(attributes) ?? [];
          if (target === undefined || attributes.includes('hreflang') || appPaths.includes(target)) continue;
          if (target.startsWith(`/${language}/`)) pending.push(target);
          else expect([target, (await get(target)).status]).toEqual([target, 200]);
        }
      }
      expect([...visited].sort()).toEqual(['', 'privacy', 'terms'].map((name) => `/${language}/${name}`));
    },
  );

  it.each([
    ['/nothing', german, 'de'],
    ['/nothing', english, 'en'],
    ['/de/nothing', english, 'de'],
    ['/en/nothing', german, 'en'],
  ])('of the page for the unknown path %s with %j is %s', async (path, headers, language) => {
    const response = await get(path, { ...headers, accept: 'text/html' });
    expect([response.status, response.headers.get('content-language')]).toEqual([404, language]);
    expect(await response.text()).toContain(`<html lang="${language}">`);
  });

  it.each(siteLanguages)('%s has one URL for the landing page', async (language) => {
    const response = await get(`/${language}`);
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe(`/${language}/`);
  });
});

describe('the landing page', () => {
  it.each(siteLanguages)('has absolute URLs in its metadata, for other sites: %s', async (language) => {
    const page = await (await get('/', { 'accept-language': language })).text();
    expect(page).toContain(`<meta property="og:url" content="${origin}/${language}/">`);
    const image = /<meta property="og:image" content="(.*)">/.exec(page)?.[1] ?? '';
    expect(image.startsWith(`${origin}/social-card`)).toBe(true);
    expect((await fetch(image)).headers.get('content-type')).toBe('image/png');
  });

  it('shows the URL of the MCP server, and no button for a GPT that does not exist', async () => {
    const page = await (await get('/')).text();
    expect(page).toContain(`<code>${origin}/mcp</code>`);
    expect(page).not.toMatch(/GPT_URL|chatgpt\.com\/g\//);
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
    expect(page).toContain('Never judge a guess yourself');
    expect(page).not.toContain(gpt.clientSecret);
  });
});

describe.each(documentPaths)('the OpenAPI document at %s', (path) => {
  it('has this origin as its only server, and can be cached for an hour', async () => {
    const response = await get(path);
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
    expect(await response.text()).toBe(renderOpenApiDocument(origin));
  });

  it('allows only GET and HEAD', async () => {
    const head = await fetch(origin + path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await fetch(origin + path, { method })).status).toBe(405);
  });
});

describe('static files', () => {
  /** The paths of the files that are served without the app. Links to pages omit the file name extension. */
  const listPaths = async () => {
    const files = (await readdir(publicFolder, { recursive: true, withFileTypes: true }))
      // These configure how the others are served.
      .filter((entry) => entry.isFile() && !/^[_.]/.test(entry.name))
      .map(({ parentPath, name }) => `${parentPath.slice(publicFolder.length)}/${name}`)
      // Only the app reads these (rounds.test.ts, browser/round-view.test.ts, browser/play.test.ts).
      .filter((file) => !/^\/(words|views)\//.test(file) && !file.endsWith('/play.html'));
    return new Set(files.flatMap((file) => [file, file.replace(/(index)?\.html$/, '')]));
  };

  it('are all served without the app, except the lists of words, the views and the play pages', async () => {
    const paths = await listPaths();
    expect([...paths]).toEqual(
      expect.arrayContaining(['/en/', '/de/index.html', '/de/privacy.html', '/style.css']),
    );
    for (const path of paths) {
      const response = await fetch(origin + path);
      expect([path, response.status]).toEqual([path, 200]);
      // Set by `_headers`, which does not apply to responses of the app.
      expect(response.headers.get('content-security-policy')).toMatch(/; form-action 'none';/);
    }
  });

  it('are exactly the paths that do not reach the app on Pages', async () => {
    const { include, exclude } = JSON.parse(await readFile(join(publicFolder, '_routes.json'), 'utf8'));
    expect(include).toEqual(['/*']);
    // Not in the folder: redirects to index pages, and what the build adds.
    const others = siteLanguages.flatMap((language) => [`/${language}`, `/${language}/index`]);
    const built = ['/setup', '/setup.html', '/setup.css', ...documentPaths.map((path) => path)];
    expect([...exclude].sort()).toEqual([...(await listPaths()), ...others, ...built].sort());
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
