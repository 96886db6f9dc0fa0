import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, createBrowser, findFreePort, type Page } from '../src/index.ts';

interface ReceivedRequest {
  readonly line: string;
  readonly cookie: string | undefined;
  readonly origin: string | undefined;
  readonly site: string | string[] | undefined;
  readonly body: string;
}

const received: ReceivedRequest[] = [];
let responses: Readonly<Record<string, (response: ServerResponse) => unknown>> = {};
let origin = '';
let browser: Browser;

const server = createServer((request, response) => {
  void record(request).then(() =>
    (responses[request.url ?? ''] ?? ((r) => r.writeHead(404).end('not found')))(response),
  );
});

const record = async (request: IncomingMessage): Promise<void> => {
  const { cookie, origin: from, 'sec-fetch-site': site } = request.headers;
  received.push({
    line: `${request.method} ${request.url}`,
    cookie,
    origin: from,
    site,
    body: await text(request),
  });
};

beforeEach(async () => {
  received.length = 0;
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
const redirectTo = (location: string) => (response: ServerResponse) =>
  response.writeHead(303, { location }).end();

/** Opens a URL that must lead to a page. */
const openPage = async (url: string, opened = browser): Promise<Page> => {
  const destination = await opened.open(new URL(url, origin));
  if (destination.kind === 'stopped-redirect') throw new Error(`stopped at ${destination.location}`);
  return destination;
};

describe('navigation', () => {
  it('follows redirects, and sends the cookies that were set on the way', async () => {
    responses = {
      '/a': (response) =>
        response.writeHead(302, { location: '/b', 'set-cookie': ['x=1', 'y=2; Path=/b'] }).end(),
      '/b': html('arrived'),
    };
    expect(await openPage('/a')).toMatchObject({ status: 200, html: 'arrived', url: new URL('/b', origin) });
    expect(received.map(({ line, cookie }) => [line, cookie])).toEqual([
      ['GET /a', undefined],
      ['GET /b', 'y=2; x=1'],
    ]);
  });

  it.each([
    ['header', (response: ServerResponse) => response.setHeader('refresh', '0; url=/end').end('wait')],
    ['element', html('<meta http-equiv="Refresh" content="0; url=/end?a=1&amp;b=2">')],
  ])('follows a refresh %s of 0 seconds', async (_, waiting) => {
    responses = { '/wait': waiting, '/end': html('end'), '/end?a=1&b=2': html('end') };
    expect((await openPage('/wait')).html).toBe('end');
  });

  it('stays on a page whose refresh waits', async () => {
    responses = { '/wait': html('<meta http-equiv="refresh" content="5; url=/end">') };
    expect((await openPage('/wait')).url.pathname).toBe('/wait');
    expect(received).toHaveLength(1);
  });

  it.each([
    ['https://chatgpt.com/aip/g-1234/oauth/callback?code=c'],
    ['http://127.0.0.1.example/'],
    ['http://10.0.0.1/'],
  ])('does not open %s', async (location) => {
    responses = { '/away': redirectTo(location) };
    const stopped = { kind: 'stopped-redirect', location: new URL(location) };
    expect(await browser.open(new URL('/away', origin))).toEqual(stopped);
    expect(await browser.open(new URL(location))).toEqual(stopped);
    expect(received).toHaveLength(1);
  });

  it('stops at the URLs that the test names', async () => {
    responses = { '/away': redirectTo('/stop?code=c') };
    const location = new URL('/stop?code=c', origin);
    expect(await browser.open(new URL('/away', origin))).toEqual({ kind: 'stopped-redirect', location });
    expect(received).toHaveLength(1);
  });

  it('fails after 20 redirects', async () => {
    responses = { '/circle': redirectTo('/circle') };
    await expect(openPage('/circle')).rejects.toThrow('More than 20 redirects');
    expect(received).toHaveLength(20);
  });
});

describe('forms', () => {
  it('submits the fields and the clicked button, with the origin of the page', async () => {
    responses = {
      '/form': html(`<p>outside <input name="outside" value="x"></p>
        <form class=a action="/post?a=1&amp;b=2" method='POST'>
        <input type="hidden" name="sealed" value="a&quot;b&#39;c&#x3c;d"/><input type="checkbox">
        <button name="provider" value="google"><span>Continue with</span>
          Google &amp; co</button><button name="cancel" value="1">Cancel</button></form>`),
      '/post?a=1&b=2': redirectTo('/end'),
      '/end': html('end'),
    };
    const form = await openPage('/form');
    expect(await browser.clickButton(form, 'Continue with Google & co')).toMatchObject({ html: 'end' });
    await browser.clickButton(form, 'Cancel');
    const [, first, afterRedirect, second] = received;
    const fields = 'sealed=a%22b%27c%3Cd';
    const line = 'POST /post?a=1&b=2';
    const post = { line, cookie: undefined, origin, site: 'same-origin' };
    expect(first).toEqual({ ...post, body: `${fields}&provider=google` });
    expect(second).toEqual({ ...post, body: `${fields}&cancel=1` });
    expect(afterRedirect).toEqual({
      ...{ line: 'GET /end', cookie: undefined, origin: undefined },
      ...{ site: 'same-origin', body: '' },
    });
  });

  it('puts the fields of a GET form into the query', async () => {
    responses = {
      '/form': html('<form action="/find"><input name="q" value="a&amp;b"><button>Go</button></form>'),
    };
    await browser.clickButton(await openPage('/form'), 'Go');
    expect(received.at(-1)?.line).toBe('GET /find?q=a%26b');
  });

  it('submits a form without an action to the URL of its page', async () => {
    responses = { '/form?a=1': html('<form method="post"><button>Go</button></form>') };
    await browser.clickButton(await openPage('/form?a=1'), 'Go');
    expect(received.at(-1)?.line).toBe('POST /form?a=1');
  });

  it('fails if the page has no such button', async () => {
    responses = { '/form': html('<form><button>Go</button></form>') };
    const form = await openPage('/form');
    expect(() => browser.clickButton(form, 'Stop')).toThrow('No button "Stop" on');
  });
});

describe('cookies', () => {
  const app = 'http://localhost:8787/authorize';
  const provider = 'http://127.0.0.1:8788/sign-in';

  /** A browser with the cookies that the app set, and the `Cookie` headers of its later requests. */
  const withCookies = async (...lines: readonly string[]) => {
    const sent: (string | null)[] = [];
    let setCookies = lines;
    const form = `<form action="${app}" method="post"><button>Post</button></form>
      <form action="${app}"><button>Get</button></form>`;
    const cookieBrowser = createBrowser({
      fetch: async (input, init) => {
        sent.push(new Request(input, init).headers.get('cookie'));
        const headers = new Headers();
        for (const line of setCookies) headers.append('set-cookie', line);
        return new Response(form, { headers });
      },
    });
    await openPage(app, cookieBrowser);
    setCookies = [];
    const read = async (url: string) => {
      await openPage(url, cookieBrowser);
      return sent.at(-1);
    };
    const set = async (line: string) => {
      setCookies = [line];
      await openPage(app, cookieBrowser);
      setCookies = [];
    };
    const submit = async (from: string, label: string) => {
      await cookieBrowser.clickButton(await openPage(from, cookieBrowser), label);
      return sent.at(-1);
    };
    return { read, set, submit };
  };

  it('are sent to every port of the host, and to no other host', async () => {
    const { read } = await withCookies('a=1; Path=/', 'b=x=y');
    expect(await read(app)).toBe('a=1; b=x=y');
    expect(await read('http://localhost:9999/')).toBe('a=1; b=x=y');
    expect(await read(provider)).toBeNull();
  });

  it('are replaced by a newer value, and deleted by Max-Age=0', async () => {
    const { read, set } = await withCookies('a=1', 'a=2');
    expect(await read(app)).toBe('a=2');
    await set('a=; Max-Age=0');
    expect(await read(app)).toBeNull();
  });

  it('are sent only below their path', async () => {
    const { read } = await withCookies('a=1; Path=/authorize');
    expect(await read(app)).toBe('a=1');
    expect(await read(`${app}/consent`)).toBe('a=1');
    expect(await read(`${app}d`)).toBeNull();
  });

  it.each([
    ['a=1; Secure', 'a=1'],
    ['__Host-a=1; Secure; Path=/', '__Host-a=1'],
    ['__Host-a=1; Path=/', null],
    ['__Host-a=1; Secure', null],
    ['__Host-a=1; Secure; Path=/authorize', null],
    ['__Host-a=1; Secure; Path=/; Domain=localhost', null],
    ['=', null],
  ])('on http://localhost: %s is sent as %s', async (line, sent) => {
    const { read } = await withCookies(line);
    expect(await read(app)).toBe(sent);
  });

  it.each([
    ['Get', 'l=1; n=1; d=1'],
    ['Post', 'n=1'],
  ])('are sent by their SameSite on a cross-site %s', async (label, sent) => {
    const { submit } = await withCookies(
      's=1; SameSite=Strict',
      'l=1; SameSite=Lax',
      'n=1; SameSite=None; Secure',
      'd=1',
    );
    expect(await submit(provider, label)).toBe(sent);
    expect(await submit(app, label)).toBe('s=1; l=1; n=1; d=1');
  });
});
