/**
 * A browser without JavaScript: keeps cookies, follows redirects, clicks buttons, and opens only the origins
 * that it may open. `cookies.ts` decides which cookies are sent, and `forms.ts` reads the pages.
 */
import { systemClock } from '../defaults.ts';
import type { Clock } from '../oauth/identifiers.ts';
import { createCookieJar, isLoopbackHost, type SameSiteContext } from './cookies.ts';
import { type Form, type FormButton, parsePage } from './forms.ts';

/** A page that was loaded. */
export interface Page {
  /** Distinguishes it from a `StoppedRedirect`. */
  readonly kind: 'page';
  /** The URL of the page, after all redirects. */
  readonly url: URL;
  /** The status of the response. It can be an error. */
  readonly status: number;
  /** The headers of the response. */
  readonly headers: Headers;
  /** The body of the response. */
  readonly html: string;
}

/** A URL that the browser did not open: the one passed to `open`, or the target of a redirect or form. */
export interface StoppedRedirect {
  /** Distinguishes it from a `Page`. */
  readonly kind: 'stopped-redirect';
  /** The URL, for example that of a client's callback with a code. */
  readonly location: URL;
}

/**
 * The browser cannot continue: the page does not have the button, the browser stopped before the last button,
 * a redirect is invalid, or there are too many redirects.
 */
export class NavigationError extends Error {
  /** The name of the class. */
  override readonly name = 'NavigationError';
  /** The URL at which the browser stopped before all buttons were clicked. `undefined` for another cause. */
  readonly stoppedAt: URL | undefined;

  /**
   * Creates the error.
   * @param message why the browser cannot continue
   * @param stoppedAt the URL at which it stopped before all buttons were clicked
   */
  constructor(message: string, stoppedAt?: URL) {
    super(message);
    this.stoppedAt = stoppedAt;
  }
}

/** A browser with its own cookies. */
export interface Browser {
  /**
   * Opens a URL, as if the user had typed it.
   * @param url the URL
   * @returns the page after all redirects, or the URL at which the browser stopped
   * @throws NavigationError for more than 20 requests in a row, and for a redirect to an invalid URL
   */
  open(url: URL): Promise<Page | StoppedRedirect>;
  /**
   * Clicks the first button whose text contains `label`, which submits its form.
   * @param page the page, which can also be one that was loaded earlier
   * @param label a part of the text, with single spaces; case matters
   * @returns the page after all redirects, or the URL at which the browser stopped
   * @throws NavigationError if the page has no such button, and as `open`
   */
  clickButton(page: Page, label: string): Promise<Page | StoppedRedirect>;
}

/** The options of `createBrowser`. */
export interface BrowserOptions {
  /** Sends a request, and follows no redirects, for example `broker.fetch`. Default: the global `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * The origins that the browser opens besides loopback, such as `https://words.example`. It stops at every
   * other URL, so that no test sends a code or a password to a real host by mistake. Default: none.
   */
  readonly origins?: readonly string[];
  /** Returns whether to stop at a URL that could be opened, such as a client's callback. Default: never. */
  readonly shouldStopAt?: (url: URL) => boolean;
  /** Returns the current time in whole seconds, for cookies that expire. Default: the system clock. */
  readonly now?: Clock;
}

/**
 * Creates a browser without cookies. It treats cookies, redirects, `Origin` and Fetch Metadata as browsers do
 * (RFC 6265bis, RFC 6454 §7), and runs no scripts.
 * @param options which URLs it opens, and how
 * @example
 * ```ts
 * import { createBrowser } from 'assistant-auth/testing';
 *
 * const browser = createBrowser({ fetch: broker.fetch, origins: ['https://words.example'] });
 * const page = await browser.open(new URL('https://words.example/account'));
 * if (page.kind === 'page') await browser.clickButton(page, 'Sign in with Google');
 * ```
 */
export const createBrowser = (options: BrowserOptions = {}): Browser => {
  const { fetch: send = callFetch, origins = [], shouldStopAt = () => false, now = systemClock } = options;
  const jar = createCookieJar(now);
  const isOpened = (url: URL): boolean =>
    /^https?:$/.test(url.protocol) &&
    (isLoopbackHost(url) || origins.includes(url.origin)) &&
    !shouldStopAt(url);

  const navigate = async (start: Navigation): Promise<Page | StoppedRedirect> => {
    let navigation = start;
    for (let requestCount = 0; requestCount < maxRequests; requestCount++) {
      const { url } = navigation;
      if (!isOpened(url)) return { kind: 'stopped-redirect', location: url };
      const response = await send(
        buildRequest(navigation, jar.readHeader(url, getSameSiteContext(navigation))),
      );
      jar.store(url, response.headers.getSetCookie());
      const { status, headers } = response;
      const html = await response.text();
      const target = findRedirectTarget(url, response, html);
      if (target === undefined) return { kind: 'page', url, status, headers, html };
      navigation = redirect(navigation, status, target);
    }
    throw new NavigationError(
      `More than ${maxRequests} redirects, starting at ${start.url.origin}${start.url.pathname}`,
    );
  };

  return {
    open: (url) => navigate({ url, method: 'GET' }),
    clickButton: async (page, label) => navigate(submit(page, findButton(page, label))),
  };
};

/**
 * Opens a URL, and clicks one button on each page that follows.
 * @param browser the browser
 * @param url the URL, such as an authorization request
 * @param labels what the buttons' texts contain, in order
 * @returns the URL at which the browser stopped after the last button, such as a client's callback
 * @throws NavigationError if the browser stops earlier, or ends on a page
 * @example
 * ```ts
 * import { clickButtons, createBrowser } from 'assistant-auth/testing';
 *
 * const browser = createBrowser();
 * const url = new URL('http://localhost:8787/authorize?client_id=app&response_type=code');
 * const callback = await clickButtons(browser, url, ['Sign in with Acme', 'Ada Marlow']);
 * const code = callback.searchParams.get('code');
 * ```
 */
export const clickButtons = async (browser: Browser, url: URL, labels: readonly string[]): Promise<URL> => {
  let destination = await browser.open(url);
  for (const label of labels) {
    if (destination.kind === 'stopped-redirect') {
      const { location } = destination;
      throw new NavigationError(`stopped at ${location.origin} before "${label}"`, location);
    }
    destination = await browser.clickButton(destination, label);
  }
  if (destination.kind === 'stopped-redirect') return destination.location;
  throw new NavigationError(`ended on ${destination.url.pathname} with status ${destination.status}`);
};

// Workers reject `fetch` if it is called as a method of another object.
const callFetch = (request: Request): Promise<Response> => fetch(request);

const maxRequests = 20;

/** A request of the browser, and the page that started it. */
interface Navigation {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly body?: URLSearchParams;
  /** Absent if the user typed the URL. */
  readonly initiator?: URL;
}

/** Follows a redirect: 307 and 308 keep the method and the body, and others make it a GET request. */
const redirect = (navigation: Navigation, status: number, url: URL): Navigation =>
  status === 307 || status === 308
    ? { ...navigation, url, initiator: navigation.initiator ?? navigation.url }
    : { url, method: 'GET', initiator: navigation.initiator ?? navigation.url };

/** Without a list of public suffixes, hosts with different names are different sites. Ports do not matter. */
const isSameSite = ({ url, initiator }: Navigation): boolean =>
  initiator === undefined || (initiator.protocol === url.protocol && initiator.hostname === url.hostname);

const getSameSiteContext = (navigation: Navigation): SameSiteContext => {
  if (isSameSite(navigation)) return 'same-site';
  return navigation.method === 'GET' ? 'cross-site-navigation' : 'cross-site-post';
};

/** Builds the request with its cookies, Fetch Metadata headers and `Origin` header (RFC 6454 §7). */
const buildRequest = (navigation: Navigation, cookie: string | undefined): Request => {
  const { url, method, body, initiator } = navigation;
  return new Request(url, {
    method,
    redirect: 'manual',
    headers: {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': describeSiteRelation(navigation),
      ...(method === 'POST' && initiator !== undefined && { origin: initiator.origin }),
      ...(cookie !== undefined && { cookie }),
    },
    ...(body !== undefined && { body }),
  });
};

const describeSiteRelation = (navigation: Navigation): string => {
  const { url, initiator } = navigation;
  if (initiator === undefined) return 'none';
  if (initiator.origin === url.origin) return 'same-origin';
  return isSameSite(navigation) ? 'same-site' : 'cross-site';
};

/**
 * Finds the URL that a response redirects to: a `Location`, or a `Refresh` header or meta element with 0
 * seconds.
 */
const findRedirectTarget = (url: URL, response: Response, html: string): URL | undefined => {
  const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
  const refresh = response.headers.get('refresh') ?? parsePage(html).refresh ?? '';
  const target = location ?? /^\s*0\s*;\s*url=(.+)$/i.exec(refresh)?.[1];
  if (target === undefined) return undefined;
  const parsed = URL.parse(target, url.href);
  if (parsed === null) throw new NavigationError(`${url.origin}${url.pathname} redirects to an invalid URL`);
  return parsed;
};

interface FoundButton {
  readonly form: Form;
  readonly button: FormButton;
}

const findButton = (page: Page, label: string): FoundButton => {
  const { forms } = parsePage(page.html);
  for (const form of forms) {
    const button = form.buttons.find(({ text }) => text.includes(label));
    if (button !== undefined) return { form, button };
  }
  const texts = forms.flatMap(({ buttons }) => buttons.map(({ text }) => `"${text}"`));
  throw new NavigationError(
    `No button "${label}" on ${page.url.origin}${page.url.pathname} (status ${page.status}). ` +
      `It has: ${texts.join(', ') || 'no buttons'}${page.status < 400 ? '' : `. It says: ${readText(page.html)}`}`,
  );
};

/** Returns the start of the text of a page, for a message. Character references stay as they are. */
const readText = (html: string): string =>
  html
    .replace(/<(head|style|script)\b.*?<\/\1>|<[^>]*>/gis, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);

/** Builds the request that a click on a button sends (HTML §4.10.21.3). */
const submit = (page: Page, { form, button }: FoundButton): Navigation => {
  const entries = new URLSearchParams();
  for (const [name, value] of form.fields) entries.append(name, value);
  if (button.field !== undefined) entries.append(...button.field);
  const url = new URL(button.action ?? form.action, page.url);
  const method = button.method ?? form.method;
  if (method === 'POST') return { url, method, body: entries, initiator: page.url };
  url.search = entries.toString();
  return { url, method, initiator: page.url };
};
