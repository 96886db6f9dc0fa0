/** The browser without JavaScript: navigation, forms and cookies. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Browser,
  clickButtons,
  createBrowser,
  NavigationError,
  type Page,
} from '../../src/testing/index.ts';

interface ReceivedRequest {
  readonly line: string;
  readonly cookie: string | null;
  readonly origin: string | null;
  readonly site: string | null;
  readonly body: string;
}

const origin = 'http://127.0.0.1:8787';
const received: ReceivedRequest[] = [];
let responses: Readonly<Record<string, () => Response>> = {};
let browser: Browser;

/** Records the request, and responds by path and query. */
const respond = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  received.push({
    line: `${request.method} ${pathname}${search}`,
    cookie: request.headers.get('cookie'),
    origin: request.headers.get('origin'),
    site: request.headers.get('sec-fetch-site'),
    // workerd logs a warning if `text` reads a form.
    body: new TextDecoder().decode(await request.arrayBuffer()),
  });
  return responses[pathname + search]?.() ?? new Response('not found', { status: 404 });
};

beforeEach(() => {
  received.length = 0;
  browser = createBrowser({ fetch: respond, shouldStopAt: (url) => url.pathname === '/stop' });
});

const respondWithHtml = (body: string) => () =>
  new Response(body, { headers: { 'content-type': 'text/html' } });
const redirectTo =
  (location: string, status = 303) =>
  () =>
    new Response(null, { status, headers: { location } });

/** Opens a URL that must lead to a page. */
const openPage = async (url: string, testBrowser = browser): Promise<Page> => {
  const destination = await testBrowser.open(new URL(url, origin));
  if (destination.kind === 'stopped-redirect') throw new Error(`stopped at ${destination.location}`);
  return destination;
};

describe('navigation', () => {
  it('follows redirects, and sends the cookies that were set before', async () => {
    responses = {
      '/a': () => {
        const headers = new Headers({ location: '/b' });
        for (const line of ['x=1', 'y=2; Path=/b']) headers.append('set-cookie', line);
        return new Response(null, { status: 302, headers });
      },
      '/b': respondWithHtml('arrived'),
    };
    expect(await openPage('/a')).toMatchObject({ status: 200, html: 'arrived', url: new URL('/b', origin) });
    expect(received.map(({ line, cookie }) => [line, cookie])).toEqual([
      ['GET /a', null],
      ['GET /b', 'y=2; x=1'],
    ]);
  });

  it.each([
    ['header', () => new Response('wait', { headers: { refresh: '0; url=/end' } })],
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

  it('opens the origins that the test names, and neither another scheme nor another port of the host', async () => {
    const opening = createBrowser({ fetch: respond, origins: ['https://words.example'] });
    responses = { '/start': respondWithHtml('start') };
    expect(await opening.open(new URL('https://words.example/start'))).toMatchObject({ html: 'start' });
    for (const other of [
      'http://words.example/start',
      'https://words.example:444/start',
      'mailto:a@b.example',
    ])
      expect(await opening.open(new URL(other))).toEqual({
        kind: 'stopped-redirect',
        location: new URL(other),
      });
    expect(received).toHaveLength(1);
  });

  it.each([
    [303, 'GET /end', ''],
    [307, 'POST /end', 'go=1'],
    [308, 'POST /end', 'go=1'],
  ])('follows a %i after a form post with %s', async (status, line, body) => {
    responses = {
      '/form': respondWithHtml('<form method=post action=/post><button name=go value=1>Go</button></form>'),
      '/post': redirectTo('/end', status),
      '/end': respondWithHtml('end'),
    };
    await browser.clickButton(await openPage('/form'), 'Go');
    expect(received.at(-1)).toMatchObject({ line, body });
  });

  it('fails if a redirect is not a URL', async () => {
    responses = { '/away': redirectTo('http://[') };
    await expect(openPage('/away')).rejects.toThrow(
      new NavigationError('http://127.0.0.1:8787/away redirects to an invalid URL'),
    );
  });

  it('fails if it stops before the last button, or ends on a page', async () => {
    responses = {
      '/form': respondWithHtml('<form action=/stop><button>Go</button></form>'),
      '/stop': respondWithHtml('never opened'),
    };
    const url = new URL('/form', origin);
    expect(await clickButtons(browser, url, ['Go'])).toEqual(new URL('/stop', origin));
    const stopped = clickButtons(browser, url, ['Go', 'Ada']);
    await expect(stopped).rejects.toThrow('stopped at http://127.0.0.1:8787 before "Ada"');
    await expect(stopped).rejects.toMatchObject({ stoppedAt: new URL('/stop', origin) });
    await expect(clickButtons(browser, url, [])).rejects.toThrow('ended on /form with status 200');
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
        <button name="provider" value="google"><span>Sign in with</span>
          Google &amp; co</button><button name="cancel" value="1">Cancel</button></form>`),
      '/post?a=1&b=2': redirectTo('/end'),
      '/end': respondWithHtml('end'),
    };
    const form = await openPage('/form');
    expect(await browser.clickButton(form, 'Sign in with Google & co')).toMatchObject({ html: 'end' });
    await browser.clickButton(form, 'Cancel');
    const [, first, afterRedirect, second] = received;
    const fields = 'sealed=a%22b%27c%3Cd';
    const line = 'POST /post?a=1&b=2';
    const postRequest = { line, cookie: null, origin, site: 'same-origin' };
    expect(first).toEqual({ ...postRequest, body: `${fields}&provider=google` });
    expect(second).toEqual({ ...postRequest, body: `${fields}&cancel=1` });
    expect(afterRedirect).toEqual({
      ...{ line: 'GET /end', cookie: null, origin: null },
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
    await expect(browser.clickButton(form, 'Stop')).rejects.toThrow(
      new NavigationError('No button "Stop" on http://127.0.0.1:8787/form (status 200). It has: "Go"'),
    );
  });

  it('reports the text of an error page that has no such button', async () => {
    const html = '<head><title>Error</title><style>p { }</style></head><h1>Not\n found</h1><p>Try again.</p>';
    responses = { '/error': () => new Response(html, { status: 404 }) };
    await expect(browser.clickButton(await openPage('/error'), 'Go')).rejects.toThrow(
      new NavigationError(
        'No button "Go" on http://127.0.0.1:8787/error (status 404). It has: no buttons. It says: Not found Try again.',
      ),
    );
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
      fetch: async (request) => {
        sentCookies.push(request.headers.get('cookie'));
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
    ['a', 'a'],
    ['a=1; Path=/other', null],
    ['a=1; Path=relative', 'a=1'],
    ['a=1; Domain=localhost', 'a=1'],
    ['a=1; Domain=example', null],
    ['a=1; Domain=other.localhost', null],
    ['a=1; SameSite=None', null],
    ['__Secure-a=1', null],
    ['__secure-a=1; Secure', '__secure-a=1'],
    ['__Host-a', null],
    ['a=1; Max-Age=-1', null],
    ['a=1; Max-Age=soon', 'a=1'],
    ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', null],
    ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60', 'a=1'],
    [`a=${'x'.repeat(4095)}`, `a=${'x'.repeat(4095)}`],
    [`a=${'x'.repeat(4096)}`, null],
    [`a=1; Path=/${'x'.repeat(1024)}`, 'a=1'],
  ])('on http://localhost: %s is sent as %s', async (line, expectedCookies) => {
    const { getCookiesSentTo } = await withCookies(line);
    expect(await getCookiesSentTo(appUrl)).toBe(expectedCookies);
  });

  it.each([
    ['https://www.words.example/', 'a=1; Domain=words.example', ['https://api.words.example/'], 'a=1'],
    ['https://www.words.example/', 'a=1; Domain=.WORDS.example', ['https://words.example/'], 'a=1'],
    ['https://www.words.example/', 'a=1', ['https://words.example/', 'https://a.www.words.example/'], null],
    ['https://www.words.example/', 'a=1; Domain=example', ['https://www.words.example/'], null],
    ['https://www.words.example/', 'a=1; Domain=rds.example', ['https://www.words.example/'], null],
    ['https://www.words.example/', 'a=1; Domain=a.www.words.example', ['https://a.www.words.example/'], null],
    ['https://words.example/', 'a=1; Secure', ['http://words.example/'], null],
    ['http://words.example/', 'a=1; Secure', ['https://words.example/'], null],
    ['http://127.0.0.1/', 'a=1; Domain=0.0.1', ['http://127.0.0.1/'], null],
  ])('%s sets %s, and %j get %s', async (settingUrl, line, urls, expectedCookies) => {
    const sent: (string | null)[] = [];
    const cookieBrowser = createBrowser({
      origins: [settingUrl, ...urls].map((url) => new URL(url).origin),
      fetch: async (request) => {
        sent.push(request.headers.get('cookie'));
        return new Response('', { headers: sent.length === 1 ? { 'set-cookie': line } : {} });
      },
    });
    for (const url of [settingUrl, ...urls]) await cookieBrowser.open(new URL(url));
    expect(sent).toEqual([null, ...urls.map(() => expectedCookies)]);
  });

  it('expire', async () => {
    let now = 1_800_000_000;
    const sent: (string | null)[] = [];
    const cookieBrowser = createBrowser({
      now: () => now,
      fetch: async (request) => {
        sent.push(request.headers.get('cookie'));
        return new Response('', { headers: sent.length === 1 ? { 'set-cookie': 'a=1; Max-Age=60' } : {} });
      },
    });
    for (const time of [0, 59, 1]) {
      now += time;
      await cookieBrowser.open(new URL(appUrl));
    }
    expect(sent).toEqual([null, 'a=1', null]);
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
