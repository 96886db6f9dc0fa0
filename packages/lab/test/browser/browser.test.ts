import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, createBrowser, findFreePort, type Page } from '../../src/index.ts';

interface Seen {
  readonly line: string;
  readonly cookie: string | undefined;
  readonly origin: string | undefined;
  readonly site: string | string[] | undefined;
  readonly body: string;
}

const seen: Seen[] = [];
let answers: Readonly<Record<string, (response: ServerResponse) => unknown>> = {};
let origin = '';
let browser: Browser;

const server = createServer((request, response) => {
  void record(request).then(() =>
    (answers[request.url ?? ''] ?? ((r) => r.writeHead(404).end('nothing')))(response),
  );
});

const record = async (request: IncomingMessage): Promise<void> => {
  const { cookie, origin: from, 'sec-fetch-site': site } = request.headers;
  seen.push({
    line: `${request.method} ${request.url}`,
    cookie,
    origin: from,
    site,
    body: await text(request),
  });
};

beforeEach(async () => {
  seen.length = 0;
  const port = await findFreePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${port}`;
  browser = createBrowser({ fetch, shouldStopAt: (url) => url.pathname === '/stop' });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const html = (body: string) => (response: ServerResponse) =>
  response.setHeader('content-type', 'text/html').end(body);
const goTo = (location: string) => (response: ServerResponse) => response.writeHead(303, { location }).end();
const page = async (path: string): Promise<Page> => {
  const destination = await browser.open(new URL(path, origin));
  if (destination.kind === 'stopped-redirect') throw new Error(`left for ${destination.location}`);
  return destination;
};

describe('the browser without script', () => {
  it('follows redirects and carries the cookies that were set on the way', async () => {
    answers = {
      '/a': (response) =>
        response.writeHead(302, { location: '/b', 'set-cookie': ['x=1', 'y=2; Path=/b'] }).end(),
      '/b': html('arrived'),
    };
    expect(await page('/a')).toMatchObject({ status: 200, html: 'arrived', url: new URL('/b', origin) });
    expect(seen.map(({ line, cookie }) => [line, cookie])).toEqual([
      ['GET /a', undefined],
      ['GET /b', 'x=1; y=2'],
    ]);
  });

  it('presses a button: the form travels with the button, and says where it comes from', async () => {
    answers = {
      '/form': html(`<form method="post" action="/post"><input name="sealed" value="a b">
        <button name="provider" value="google">Continue with Google</button><button name="cancel" value="1">Cancel</button></form>`),
      '/post': goTo('/end'),
      '/end': html('end'),
    };
    expect(await browser.clickButton(await page('/form'), 'Cancel')).toMatchObject({
      kind: 'page',
      html: 'end',
    });
    expect(seen.slice(1)).toEqual([
      { line: 'POST /post', cookie: undefined, origin, site: 'same-origin', body: 'sealed=a+b&cancel=1' },
      { line: 'GET /end', cookie: undefined, origin: undefined, site: 'same-origin', body: '' },
    ]);
  });

  it('puts the fields of a GET form into the address', async () => {
    answers = {
      '/form': html('<form action="/find"><input name="q" value="a&amp;b"><button>Go</button></form>'),
    };
    await browser.clickButton(await page('/form'), 'Go');
    expect(seen.at(-1)?.line).toBe('GET /find?q=a%26b');
  });

  it.each([
    ['header', (response: ServerResponse) => response.setHeader('refresh', '0; url=/end').end('wait')],
    ['element', html('<meta http-equiv="refresh" content="0; url=/end?a=1&amp;b=2">')],
  ])('follows a refresh %s that waits for nothing', async (_, waiting) => {
    answers = { '/wait': waiting, '/end': html('end'), '/end?a=1&b=2': html('end') };
    expect((await page('/wait')).html).toBe('end');
  });

  it.each([
    ['https://chatgpt.com/aip/g-1234/oauth/callback?code=c'],
    ['http://127.0.0.1.example/'],
    ['http://10.0.0.1/'],
  ])('does not go to %s', async (location) => {
    answers = { '/away': goTo(location) };
    expect(await browser.open(new URL('/away', origin))).toEqual({
      kind: 'stopped-redirect',
      location: new URL(location),
    });
    expect(await browser.open(new URL(location))).toEqual({
      kind: 'stopped-redirect',
      location: new URL(location),
    });
    expect(seen).toHaveLength(1);
  });

  it('stops where it was told to', async () => {
    answers = { '/away': goTo('/stop?code=c') };
    const location = new URL('/stop?code=c', origin);
    expect(await browser.open(new URL('/away', origin))).toEqual({ kind: 'stopped-redirect', location });
    expect(seen).toHaveLength(1);
  });

  it('gives up on a circle and on a button that is not there', async () => {
    answers = { '/circle': goTo('/circle'), '/form': html('<form><button>Go</button></form>') };
    await expect(page('/circle')).rejects.toThrow('More than 20 redirects');
    const form = await page('/form');
    expect(() => browser.clickButton(form, 'Stop')).toThrow('No button "Stop" on');
  });
});
