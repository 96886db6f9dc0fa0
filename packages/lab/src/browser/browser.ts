/**
 * A browser without JavaScript: keeps cookies, follows redirects, clicks buttons, and never leaves loopback.
 */
import { type CookieJar, createCookieJar } from './cookie-jar.ts';
import { type Button, type Form, readForms } from './forms.ts';
import { buildFetchMetadataHeaders, findRedirectTarget, isLoopback, type Navigation } from './navigation.ts';

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

export interface BrowserOptions {
  readonly fetch: typeof fetch;
  /** Tells which loopback URLs are not opened either, such as a client's callback. Default: none. */
  readonly shouldStopAt?: (url: URL) => boolean;
}

export const createBrowser = ({ fetch, shouldStopAt = () => false }: BrowserOptions): Browser => {
  const cookies = createCookieJar();

  const navigate = async (start: Navigation, body?: URLSearchParams): Promise<Page | StoppedRedirect> => {
    let navigation = start;
    for (let redirectCount = 0; redirectCount < maxRedirects; redirectCount++) {
      const { url } = navigation;
      if (!isLoopback(url) || shouldStopAt(url)) return { kind: 'stopped-redirect', location: url };
      const response = await fetch(buildRequest(navigation, cookies, redirectCount === 0 ? body : undefined));
      cookies.store(url, response.headers.getSetCookie());
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
      const entries = new URLSearchParams(form.fields.map(([name, value]) => [name, value]));
      if (button.name !== undefined) entries.append(button.name, button.value);
      const url = new URL(form.action, page.url);
      if (form.method === 'POST') return navigate({ url, method: 'POST', initiator: page.url }, entries);
      url.search = entries.toString();
      return navigate({ url, method: 'GET', initiator: page.url });
    },
  };
};

const maxRedirects = 20;

const buildRequest = (
  navigation: Navigation,
  cookies: CookieJar,
  body: URLSearchParams | undefined,
): Request => {
  const cookie = cookies.header(navigation);
  return new Request(navigation.url, {
    method: navigation.method,
    redirect: 'manual',
    headers: { ...buildFetchMetadataHeaders(navigation), ...(cookie === undefined ? {} : { cookie }) },
    ...(body === undefined ? {} : { body }),
  });
};

const findButton = (page: Page, label: string): { readonly form: Form; readonly button: Button } => {
  for (const form of readForms(page.html)) {
    const button = form.buttons.find(({ text }) => text.includes(label));
    if (button !== undefined) return { form, button };
  }
  throw new NavigationError(
    `No button "${label}" on ${page.url.origin}${page.url.pathname} (status ${page.status})`,
  );
};
