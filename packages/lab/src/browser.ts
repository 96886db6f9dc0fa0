/**
 * A browser without JavaScript: keeps cookies, follows redirects, clicks buttons, and never leaves loopback.
 * tough-cookie stores the cookies (RFC 6265bis), and linkedom parses the pages.
 */
import { parseHTML } from 'linkedom';
import { Cookie, CookieJar } from 'tough-cookie';

/** A page that was loaded. */
export interface Page {
  readonly kind: 'page';
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

/** A URL that the browser was sent to but did not open. */
export interface StoppedRedirect {
  readonly kind: 'stopped-redirect';
  readonly location: URL;
}

/** The browser cannot continue: the page does not have the button, or there are too many redirects. */
export class NavigationError extends Error {
  override readonly name = 'NavigationError';
}

export interface Browser {
  /** @throws NavigationError after too many redirects, as `clickButton` does */
  open(url: URL): Promise<Page | StoppedRedirect>;
  /**
   * Clicks the first button whose text contains `label`, which submits its form.
   * @throws NavigationError if the page has no such button
   */
  clickButton(page: Page, label: string): Promise<Page | StoppedRedirect>;
}

/**
 * Opens a URL, and clicks one button on each page that follows.
 * @param labels what the buttons' texts contain, in order
 * @returns the URL at which the browser stopped after the last button, such as a client's callback
 * @throws NavigationError if the browser stops earlier, or ends on a page
 */
export const clickButtons = async (browser: Browser, url: URL, labels: readonly string[]): Promise<URL> => {
  let destination = await browser.open(url);
  for (const label of labels) {
    if (destination.kind === 'stopped-redirect')
      throw new NavigationError(`redirected to ${destination.location.origin} before "${label}"`);
    destination = await browser.clickButton(destination, label);
  }
  if (destination.kind === 'stopped-redirect') return destination.location;
  throw new NavigationError(`ended on ${destination.url.pathname} with status ${destination.status}`);
};

export interface BrowserOptions {
  readonly fetch: typeof fetch;
  /** Returns whether to stop at a loopback URL as well, such as a client's callback. Default: never. */
  readonly shouldStopAt?: (url: URL) => boolean;
}

export const createBrowser = ({ fetch, shouldStopAt = () => false }: BrowserOptions): Browser => {
  const jar = new CookieJar();

  const navigate = async (start: Navigation, body?: URLSearchParams): Promise<Page | StoppedRedirect> => {
    let navigation = start;
    for (let redirectCount = 0; redirectCount < maxRedirects; redirectCount++) {
      const { url } = navigation;
      if (!isLoopback(url) || shouldStopAt(url)) return { kind: 'stopped-redirect', location: url };
      const response = await fetch(buildRequest(navigation, jar, redirectCount === 0 ? body : undefined));
      storeCookies(jar, url, response);
      const html = await response.text();
      const next = findRedirectTarget(url, response, html);
      if (next === undefined)
        return { kind: 'page', url, status: response.status, headers: response.headers, html };
      navigation = { url: next, method: 'GET', initiator: start.initiator ?? start.url };
    }
    throw new NavigationError(
      `More than ${maxRedirects} redirects, starting at ${start.url.origin}${start.url.pathname}`,
    );
  };

  return {
    open: (url) => navigate({ url, method: 'GET' }),
    clickButton(page, label) {
      const { form, button } = findButton(page, label);
      const entries = new URLSearchParams(readFields(form));
      const name = button.getAttribute('name');
      if (name !== null) entries.append(name, button.getAttribute('value') ?? '');
      const url = new URL(form.getAttribute('action') ?? '', page.url);
      const initiator = page.url;
      if (form.getAttribute('method')?.toLowerCase() === 'post')
        return navigate({ url, method: 'POST', initiator }, entries);
      url.search = entries.toString();
      return navigate({ url, method: 'GET', initiator });
    },
  };
};

export const isLoopback = (url: URL): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);

/** Parses a page. Names of elements and attributes must be in lower case. */
export const parsePage = (html: string): Document => parseHTML(html).document;

/** Reads the names and values of a form's inputs, in document order. */
export const readFields = (form: Element): string[][] =>
  [...form.querySelectorAll('input[name]')].map((input) => [
    input.getAttribute('name') ?? '',
    input.getAttribute('value') ?? '',
  ]);

const maxRedirects = 20;

/** A navigation of the browser, and the page that started it. */
interface Navigation {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  /** Absent if the user typed the URL. */
  readonly initiator?: URL;
}

/** Ports do not separate sites (RFC 6265bis §5.2), but localhost and 127.0.0.1 are different sites. */
const isSameSite = ({ url, initiator }: Navigation): boolean =>
  initiator === undefined || initiator.hostname === url.hostname;

const storeCookies = (jar: CookieJar, { href }: URL, response: Response): void => {
  for (const line of response.headers.getSetCookie()) {
    const cookie = Cookie.parse(line);
    if (cookie === undefined) continue;
    // Browsers treat a missing SameSite as Lax; tough-cookie treats it as None.
    cookie.sameSite ??= 'lax';
    // Browsers ignore cookies that they do not accept, such as `__Host-` without Secure.
    jar.setCookieSync(cookie, href, { ignoreError: true });
  }
};

/** Builds the request with its cookies, Fetch Metadata headers and `Origin` header (RFC 6454 §7). */
const buildRequest = (navigation: Navigation, jar: CookieJar, body?: URLSearchParams): Request => {
  const { url, method, initiator } = navigation;
  const crossSiteContext = method === 'GET' ? 'lax' : 'none';
  const sameSiteContext = isSameSite(navigation) ? 'strict' : crossSiteContext;
  const cookie = jar.getCookieStringSync(url.href, { sameSiteContext });
  return new Request(url, {
    method,
    redirect: 'manual',
    headers: {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': describeSiteRelation(navigation),
      ...(method === 'POST' && initiator !== undefined ? { origin: initiator.origin } : {}),
      ...(cookie === '' ? {} : { cookie }),
    },
    ...(body === undefined ? {} : { body }),
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
  if (location !== null) return new URL(location, url);
  const meta = parsePage(html).querySelector('meta[http-equiv="refresh" i]');
  const refresh = response.headers.get('refresh') ?? meta?.getAttribute('content') ?? '';
  const target = /^\s*0\s*;\s*url=(.+)$/i.exec(refresh)?.[1];
  return target === undefined ? undefined : new URL(target, url);
};

const findButton = (page: Page, label: string): { readonly form: Element; readonly button: Element } => {
  for (const form of parsePage(page.html).querySelectorAll('form')) {
    for (const button of form.querySelectorAll('button'))
      if (button.textContent?.replaceAll(/\s+/g, ' ').includes(label)) return { form, button };
  }
  throw new NavigationError(
    `No button "${label}" on ${page.url.origin}${page.url.pathname} (status ${page.status})`,
  );
};
