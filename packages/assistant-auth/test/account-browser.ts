/** A test browser for the account page: signs in, and posts the page's forms. */
import { expect } from 'vitest';
import { accountPaths } from '../src/account/context.ts';
import { type BrokerAccess, createTestBrowser, readRedirect, type TestBrowser } from './browser.ts';
import { type Deployment, deploy } from './deployment.ts';
import { expectErrorPage } from './expect-error.ts';

type Fields = Readonly<Record<string, string>>;

/** What the forms of the account page post to, below `/account`. */
export const accountActions: readonly string[] = Object.values(accountPaths)
  .filter((path) => path !== accountPaths.page)
  .map((path) => path.slice(accountPaths.page.length));

export interface AccountBrowser extends TestBrowser {
  /** Opens the account page, and reads the hidden field that its forms post. */
  openAccountPage(): Promise<AccountView>;
  /** Posts one of the page's forms. Default for `form`: the field of a newly opened account page. */
  post(action: string, fields?: Fields, form?: string): Promise<Response>;
  /** Posts a form that redirects to the provider, and opens the callback with the provider's response. */
  submitThroughProvider(action: string, fields: Fields, providerResponse: Fields): Promise<Response>;
  /** Signs in at the account page. */
  signInToAccount(subject?: string, provider?: string, providerResponse?: Fields): Promise<Response>;
  /** Signs in again to confirm the identity. */
  reauthenticate(subject?: string, provider?: string): Promise<Response>;
}

export interface AccountView {
  readonly response: Response;
  readonly html: string;
  /** `account` if a user is signed in. */
  readonly kind: 'account' | 'sign-in';
  readonly form: string;
}

/** Returns a browser that is signed in at the account page. */
export const createSignedInBrowser = async (
  deployment: Deployment = deploy(),
): Promise<{ readonly deployment: Deployment; readonly accountBrowser: AccountBrowser }> => {
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount();
  return { deployment, accountBrowser };
};

/** @param extraHeaders headers that are added to every request */
export const createAccountBrowser = (
  deployment: BrokerAccess,
  extraHeaders: Readonly<Record<string, string>> = {},
): AccountBrowser => {
  const browser = createTestBrowser(deployment, extraHeaders);
  const { issuer } = deployment;
  const openAccountPage = async (): Promise<AccountView> => {
    const response = await browser.visit(`${issuer}/account`);
    const html = await response.clone().text();
    expect(response.status).toBe(200);
    const kind = html.includes('action="/account/sign-out"') ? 'account' : 'sign-in';
    return { response, html, kind, form: readHiddenField(html, 'form') };
  };
  const post: AccountBrowser['post'] = async (action, fields = {}, form) =>
    browser.visit(`${issuer}/account${action}`, {
      method: 'POST',
      headers: { origin: issuer, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ form: form ?? (await openAccountPage()).form, ...fields }),
    });
  const submitThroughProvider: AccountBrowser['submitThroughProvider'] = async (
    action,
    fields,
    providerResponse,
  ) => {
    const { choice = '' } = fields;
    const authorizationUrl = readRedirect(await post(action, fields));
    const state = authorizationUrl.searchParams.get('state') ?? '';
    const callbackUrl = new URL(
      authorizationUrl.searchParams.get('redirect_uri') ?? `${issuer}/callback/${choice}`,
    );
    callbackUrl.search = new URLSearchParams({ state, ...providerResponse }).toString();
    return browser.visit(callbackUrl.href);
  };
  return {
    ...browser,
    openAccountPage,
    post,
    submitThroughProvider,
    signInToAccount: (subject = 'ada', provider = 'google', providerResponse = {}) =>
      submitThroughProvider('/sign-in', { choice: provider }, { code: subject, ...providerResponse }),
    reauthenticate: (subject = 'ada', provider = 'google') =>
      submitThroughProvider('/sign-in', { choice: provider, purpose: 'confirm' }, { code: subject }),
  };
};

/** Returns the value of a hidden field. */
export const readHiddenField = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

/** Returns the values of the buttons with this name, in the order of the page. */
export const readButtonValues = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`<button[^>]* name="${name}" value="([^"]*)"`, 'g'))].map(
    ([, value = '']) => value,
  );

/** Expects a redirect to the account page with this notice, and returns that page. */
export const expectAccountRedirect = async (
  accountBrowser: AccountBrowser,
  response: Response,
  notice: string | undefined,
): Promise<AccountView> => {
  expect(response.status).toBe(303);
  expect(new URL(response.headers.get('location') ?? '').pathname).toBe('/account');
  expect(accountBrowser.cookies.get('__Host-notice')).toBe(notice);
  return accountBrowser.openAccountPage();
};

/** Expects an error page that explains why a form was rejected. */
export const expectFormRejected = (
  response: Response,
  deployment: Deployment,
  message: string,
): Promise<void> => expectErrorPage(response, deployment, message, 400, 'Nothing was changed');

export const staleFormMessage = 'This page has expired or is from another sign-in.';
