/** The pages of the site: which file is the response, and how it may be cached. */
import type { LogEntry } from 'assistant-auth';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { deploy } from './deployment.ts';
import { origin } from './flows.ts';

beforeAll(emptyD1);

interface AssetRequest {
  readonly url: string;
  readonly method: string | undefined;
  readonly ifNoneMatch: string | null;
}

/** Creates a deployment whose static files have the ETag `"1"`, and the list of requests for them. */
const deployWithFiles = () => {
  const requests: AssetRequest[] = [];
  const assets = {
    fetch: async (url: string, init?: Pick<Request, 'method' | 'headers'>) => {
      const ifNoneMatch = init?.headers.get('if-none-match') ?? null;
      requests.push({ url, method: init?.method, ifNoneMatch });
      const headers = { etag: '"1"', 'cache-control': 'public, max-age=0, must-revalidate' };
      return ifNoneMatch === '"1"'
        ? new Response(null, { status: 304, headers })
        : new Response(`the file ${url}`, { headers: { ...headers, 'content-type': 'text/html' } });
    },
  };
  return { ...deploy(undefined, {}, {}, { assets }), requests };
};

const listRefusals = (log: readonly LogEntry[]) => log.filter(({ event }) => event === 'refused');

const accept = 'text/html,application/xhtml+xml';

describe.each(['/', '/privacy', '/terms'])('%s', (path) => {
  it.each([
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['fr, de;q=0.1', 'de'],
    ['en;q=0.5, de', 'de'],
    ['DE-CH', 'de'],
    ['en-GB,de;q=0.9', 'en'],
    ['de;q=0, en;q=0.1', 'en'],
    ['fr', 'en'],
    ['*', 'en'],
    ['', 'en'],
    ['de;q=2', 'en'],
    [';;;,,,q=1', 'en'],
    ['de/../../account', 'en'],
    ['..%2Fde', 'en'],
    ['de_DE', 'en'],
    [`${'x'.repeat(5000)},de`, 'de'],
    [`${'fr,'.repeat(2000)}de`, 'en'],
  ])('with the header "%.30s" is the file in the language %s', async (header, language) => {
    const { call, requests, log } = deployWithFiles();
    const response = await call(path, { headers: { accept, 'accept-language': header } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(`the file ${origin}/${language}${path}`);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'public, max-age=0, must-revalidate',
      'content-type': 'text/html',
      etag: '"1"',
      vary: 'Accept-Language',
    });
    expect(requests).toEqual([{ url: `${origin}/${language}${path}`, method: 'GET', ifNoneMatch: null }]);
    expect(listRefusals(log)).toEqual([]);
  });

  it('without the header is the English file, and the query is not passed on', async () => {
    const { call, requests } = deployWithFiles();
    const response = await call(`${path}?utm_source=x`);
    expect(await response.text()).toBe(`the file ${origin}/en${path}`);
    expect(requests).toHaveLength(1);
  });

  it('has status 304 without a body if the client has the same file', async () => {
    const { call, requests } = deployWithFiles();
    const headers = { 'accept-language': 'de', 'if-none-match': '"1"' };
    const response = await call(path, { headers });
    expect(response.status).toBe(304);
    expect(response.body).toBeNull();
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'public, max-age=0, must-revalidate',
      etag: '"1"',
      vary: 'Accept-Language',
    });
    expect(requests).toEqual([{ url: `${origin}/de${path}`, method: 'GET', ifNoneMatch: '"1"' }]);
  });

  it('responds to HEAD with the same headers and no body', async () => {
    const { call, requests } = deployWithFiles();
    const headers = { 'accept-language': 'de' };
    const response = await call(path, { method: 'HEAD', headers });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect([...response.headers]).toEqual([...(await call(path, { headers })).headers]);
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('refuses %s with status 405', async (method) => {
    const { call, requests, log } = deployWithFiles();
    const response = await call(path, { method, headers: { accept, 'accept-language': 'de' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 405, detail: 'Method not allowed.' });
    expect(requests).toEqual([]);
    expect(listRefusals(log)).toEqual([{ event: 'refused', endpoint: 'app', reason: 'app.method' }]);
  });
});

describe('the page for unknown paths', () => {
  it.each([
    ['/nothing', 'de-AT,en;q=0.5', 'de'],
    ['/nothing', 'en', 'en'],
    ['/nothing', '', 'en'],
    // The language in the path takes precedence over the one of the browser.
    ['/de/nothing', 'en', 'de'],
    ['/en/nothing', 'de', 'en'],
    ['/de', 'en', 'de'],
    ['/den/nothing', 'en', 'en'],
    ['/__proto__/nothing', 'de', 'de'],
    ['/a/de/nothing', 'en', 'en'],
  ])('%s, with the header "%s", is the one in the language %s', async (path, header, language) => {
    const { call, requests } = deployWithFiles();
    const response = await call(path, { headers: { accept, 'accept-language': header } });
    expect(response.status).toBe(404);
    expect(await response.text()).toBe(`the file ${origin}/${language}/404`);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'text/html',
    });
    expect(requests.map(({ url }) => url)).toEqual([`${origin}/${language}/404`]);
  });

  it.each([
    ['GET', '*/*'],
    ['POST', accept],
  ])('is a problem document for %s with Accept: %s', async (method, acceptHeader) => {
    const { call, requests } = deployWithFiles();
    const response = await call('/de/nothing', { method, headers: { accept: acceptHeader } });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json',
    ]);
    expect(requests).toEqual([]);
  });
});
