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
    (
      responses[request.url ?? ''] ?? ((notFoundResponse) => notFoundResponse.writeHead(404).end('not found'))
    )(response),
  );
});

const record = async (request: IncomingMessage): Promise<void> => {
  const { cookie, origin: originHeader, 'sec-fetch-site': site } = request.headers;
  received.push({
    line: `${request.method} ${request.url}`,
    cookie,
    origin: originHeader,
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

const respondWithHtml = (body: string) => (response: ServerResponse) =>
  response.setHeader('content-type', 'text/html').end(body);
const redirectTo = (location: string) => (response: ServerResponse) =>
  response.writeHead(303, { location }).end();

/** Opens a URL that must lead to a page. */
const openPage = async (url: string, testBrowser = browser): Promise<Page> => {
  const destination = await testBrowser.open(new URL(url, origin));
  if (destination.kind === 'stopped-redirect') throw new Error(`stopped at ${destination.location}`);
  return destination;
};

describe('navigation', () => {
  it('follows redirects, and sends the cookies that were set on the way', async () => {
    responses = {
      '/a': (response) =>
        response.writeHead(302, { location: '/b', 'set-cookie': ['x=1', 'y=2; Path=/b'] }).end(),
      '/b': respondWithHtml('arrived'),
    };
    expect(await openPage('/a')).toMatchObject({ status: 200, html: 'arrived', url: new URL('/b', origin) });
    expect(received.map(({ line, cookie }) => [line, cookie])).toEqual([
      ['GET /a', undefined],
      ['GET /b', 'y=2; x=1'],
    ]);
  });

  it.each([
    ['header', (response: ServerResponse) => response.setHeader('refresh', '0; url=/end').end('wait')],
    ['element', respondWithHtml('<meta http-equiv="Refresh" content="0; url=/end?a=1&amp;b=2">')],
  ])('follows a refresh %s of 0 seconds', async (_, respondWithRefresh) => {
    responses = {
      '/wait': respondWithRefresh,
      '/end': respondWithHtml('end'),
      '/end?a=1&b=2': respondWithHtml('end'),
    };
    expect((await openPage('/wait')).html).toBe('end');
  });

  it('stays on a page whose refresh waits', async () => {
    responses = { '/wait': respondWithHtml('<meta http-equiv="refresh" content="5; url=/end">') };
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
      '/form': respondWithHtml(`<p>outside <input name="outside" value="x"></p>
        <form class=a action="/post?a=1&amp;b=2" method='POST'>
        <input type="hidden" name="sealed" value="a&quot;b&#39;c&#x3c;d"/><input type="checkbox">
        <button name="provider" value="google"><span>Continue with</span>
          Google &amp; co</button><button name="cancel" value="1">Cancel</button></form>`),
      '/post?a=1&b=2': redirectTo('/end'),
      '/end': respondWithHtml('end'),
    };
    const form = await openPage('/form');
    expect(await browser.clickButton(form, 'Continue with Google & co')).toMatchObject({ html: 'end' });
    await browser.clickButton(form, 'Cancel');
    const [, first, afterRedirect, second] = received;
    const fields = 'sealed=a%22b%27c%3Cd';
    const line = 'POST /post?a=1&b=2';
    const postRequest = { line, cookie: undefined, origin, site: 'same-origin' };
    expect(first).toEqual({ ...postRequest, body: `${fields}&provider=google` });
    expect(second).toEqual({ ...postRequest, body: `${fields}&cancel=1` });
    expect(afterRedirect).toEqual({
      ...{ line: 'GET /end', cookie: undefined, origin: undefined },
      ...{ site: 'same-origin', body: '' },
    });
  });

  it('puts the fields of a GET form into the query', async () => {
    responses = {
      '/form': respondWithHtml(
        '<form action="/find"><input name="q" value="a&amp;b"><button>Go</button></form>',
      ),
    };
    await browser.clickButton(await openPage('/form'), 'Go');
    expect(received.at(-1)?.line).toBe('GET /find?q=a%26b');
  });

  it('submits a form without an action to the URL of its page', async () => {
    responses = { '/form?a=1': respondWithHtml('<form method="post"><button>Go</button></form>') };
    await browser.clickButton(await openPage('/form?a=1'), 'Go');
    expect(received.at(-1)?.line).toBe('POST /form?a=1');
  });

  it('fails if the page has no such button', async () => {
    responses = { '/form': respondWithHtml('<form><button>Go</button></form>') };
    const form = await openPage('/form');
    expect(() => browser.clickButton(form, 'Stop')).toThrow('No button "Stop" on');
  });
});

describe('cookies', () => {
  const appUrl = 'http://localhost:8787/authorize';
  const providerUrl = 'http://127.0.0.1:8788/sign-in';

  /** A browser with the cookies that the app set, and the `Cookie` headers of its later requests. */
  const withCookies = async (...lines: readonly string[]) => {
    const sentCookies: (string | null)[] = [];
    let setCookies = lines;
    const form = `<form action="${appUrl}" method="post"><button>Post</button></form>
      <form action="${appUrl}"><button>Get</button></form>`;
    const cookieBrowser = createBrowser({
      fetch: async (input, init) => {
        sentCookies.push(new Request(input, init).headers.get('cookie'));
        const headers = new Headers();
        for (const line of setCookies) headers.append('set-cookie', line);
        return new Response(form, { headers });
      },
    });
    await openPage(appUrl, cookieBrowser);
    setCookies = [];
    const getCookiesSentTo = async (url: string) => {
      await openPage(url, cookieBrowser);
      return sentCookies.at(-1);
    };
    const setCookie = async (line: string) => {
      setCookies = [line];
      await openPage(appUrl, cookieBrowser);
      setCookies = [];
    };
    const getCookiesSentBy = async (url: string, label: string) => {
      await cookieBrowser.clickButton(await openPage(url, cookieBrowser), label);
      return sentCookies.at(-1);
    };
    return { getCookiesSentTo, setCookie, getCookiesSentBy };
  };

  it('are sent to every port of the host, and to no other host', async () => {
    const { getCookiesSentTo } = await withCookies('a=1; Path=/', 'b=x=y');
    expect(await getCookiesSentTo(appUrl)).toBe('a=1; b=x=y');
    expect(await getCookiesSentTo('http://localhost:9999/')).toBe('a=1; b=x=y');
    expect(await getCookiesSentTo(providerUrl)).toBeNull();
  });

  it('are replaced by a newer value, and deleted by Max-Age=0', async () => {
    const { getCookiesSentTo, setCookie } = await withCookies('a=1', 'a=2');
    expect(await getCookiesSentTo(appUrl)).toBe('a=2');
    await setCookie('a=; Max-Age=0');
    expect(await getCookiesSentTo(appUrl)).toBeNull();
  });

  it('are sent only below their path', async () => {
    const { getCookiesSentTo } = await withCookies('a=1; Path=/authorize');
    expect(await getCookiesSentTo(appUrl)).toBe('a=1');
    expect(await getCookiesSentTo(`${appUrl}/consent`)).toBe('a=1');
    expect(await getCookiesSentTo(`${appUrl}d`)).toBeNull();
  });

  it.each([
    ['a=1; Secure', 'a=1'],
    ['__Host-a=1; Secure; Path=/', '__Host-a=1'],
    ['__Host-a=1; Path=/', null],
    ['__Host-a=1; Secure', null],
    ['__Host-a=1; Secure; Path=/authorize', null],
    ['__Host-a=1; Secure; Path=/; Domain=localhost', null],
    ['=', null],
  ])('on http://localhost: %s is sent as %s', async (line, expectedCookies) => {
    const { getCookiesSentTo } = await withCookies(line);
    expect(await getCookiesSentTo(appUrl)).toBe(expectedCookies);
  });

  it.each([
    ['Get', 'l=1; n=1; d=1'],
    ['Post', 'n=1'],
  ])('are sent by their SameSite on a cross-site %s', async (label, expectedCookies) => {
    const { getCookiesSentBy } = await withCookies(
      's=1; SameSite=Strict',
      'l=1; SameSite=Lax',
      'n=1; SameSite=None; Secure',
      'd=1',
    );
    expect(await getCookiesSentBy(providerUrl, label)).toBe(expectedCookies);
    expect(await getCookiesSentBy(appUrl, label)).toBe('s=1; l=1; n=1; d=1');
  });
});
