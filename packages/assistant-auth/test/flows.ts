/** Sign-ins in progress: at the sign-in page, or at the provider before the callback. */

import { createTestBrowser, gptRequest, readRedirect } from './browser.ts';
import { type Deployment, deploy } from './deployment.ts';

type Query = Readonly<Record<string, string>>;

/** Opens the sign-in page. */
export const startAuthorization = async (deployment: Deployment = deploy(), request: Query = gptRequest) => {
  const browser = createTestBrowser(deployment);
  const { consent } = await browser.openSignInPage(request);
  return { deployment, browser, consent };
};

/** Continues to the provider. `returnFromProvider` opens the callback, or another path, with its response. */
export const continueToProvider = async (
  deployment: Deployment = deploy(),
  request: Query = gptRequest,
  provider = 'google',
) => {
  const { browser, consent } = await startAuthorization(deployment, request);
  const authorizationUrl = readRedirect(await browser.submitConsent(consent, { choice: provider }));
  const state = authorizationUrl.searchParams.get('state') ?? '';
  const callbackUrl = (providerResponse: Query, path = `/callback/${provider}`) =>
    `${deployment.issuer}${path}?${new URLSearchParams({ state, ...providerResponse })}`;
  return {
    ...{ deployment, browser, authorizationUrl, state, callbackUrl },
    returnFromProvider: (providerResponse: Query, path?: string) =>
      browser.visit(callbackUrl(providerResponse, path)),
  };
};

/** Returns the names of a browser's login transaction cookies. */
export const listTransactionCookies = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-tx-'));

/** Returns the names of the cookies of a browser's completed login transactions. */
export const listCompletionCookies = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-done-'));

/** Returns the names of a browser's binding cookies. */
export const listBindingCookies = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-csrf-'));

/** Returns a browser's cookies as one `Cookie` header, for another browser or another deployment. */
export const buildCookieHeader = (cookies: ReadonlyMap<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
