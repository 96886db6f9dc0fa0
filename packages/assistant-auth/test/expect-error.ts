/** Expectations for the whole error response of each endpoint: status, headers and body. */

import { expect } from 'vitest';
import { defaultAccountTexts } from '../src/account/ui/texts.ts';
import { corsHeaders } from '../src/index.ts';
import {
  accountErrors,
  authorizationErrors,
  callbackErrors,
  mcpClientErrors,
  userErrors,
} from '../src/oauth/protocol-error.ts';
import {
  type CompletedDestination,
  type CompletedModel,
  type ErrorModel,
  renderCompletedPage,
  renderErrorPage,
} from '../src/ui/error.ts';
import { listErrorTexts } from '../src/ui/texts.ts';
import { callApi, readRedirect } from './browser.ts';
import { type Deployment, issuer, metadataParameter } from './deployment.ts';
import { parseBranding } from './ui/models.ts';

/** The messages that users can understand. All others are shown to developers. */
const userMessages: readonly string[] = Object.values(
  listErrorTexts({
    ...{ ...userErrors, ...authorizationErrors, ...callbackErrors, ...accountErrors },
    'client-metadata.unavailable': mcpClientErrors['client-metadata.unavailable'],
  }),
);

const describeMessage = (message: string, isRefusal: boolean): Pick<ErrorModel, 'message' | 'detail'> => {
  const shown = message.replaceAll("'", '’');
  return isRefusal || userMessages.includes(shown)
    ? { message: shown }
    : {
        message: 'The request that opened this page isn’t valid.',
        detail: message,
      };
};

/** The errors of the account page's forms lead back to that page. */
const isAccountFormError = (message: string, title: string): boolean =>
  title === 'Nothing was changed' || message.includes('open your account again');

/**
 * Expects an error page with `message` and a reference, without a redirect or cookies. If the error is a mistake of
 * the client, the page shows the message as a detail.
 */
export const expectErrorPage = async (
  response: Response,
  deployment: Deployment,
  message: string,
  status = 400,
  clientErrorTitle = 'We couldn’t sign you in',
  destination: ErrorModel['destination'] = isAccountFormError(message, clientErrorTitle)
    ? { kind: 'account', url: '/account' }
    : undefined,
  refusal: Pick<ErrorModel, 'identity' | 'link'> = {},
): Promise<void> => {
  expect(response.status).toBe(status);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(status === 429 ? { 'retry-after': '60' } : {}),
    ...(status === 503 ? { 'retry-after': '10' } : {}),
  });
  expect(await response.text()).toBe(
    renderErrorPage({
      branding: parseBranding({ branding: { name: new URL(deployment.issuer).host } }, defaultAccountTexts),
      title: status < 500 ? clientErrorTitle : 'Something went wrong',
      ...describeMessage(message, refusal.identity !== undefined),
      reference: deployment.log.at(-1)?.requestId ?? 'no reference in the log',
      stylesheetPath: '/authorize/style.css',
      ...(destination !== undefined && { destination }),
      ...refusal,
    }),
  );
};

/**
 * Expects the error page of a callback that ended its sign-in: with a link to start again, and cookies that
 * replace the login transaction with a completion.
 */
export const expectFailurePage = async (
  response: Response,
  deployment: Deployment,
  message: string,
  status: number,
  destination: CompletedDestination,
): Promise<void> => {
  expectTransactionEnded(response);
  await expectErrorPage(response, deployment, message, status, undefined, destination);
};

/** Expects cookies that replace the login transaction with a completion, and removes them from the response. */
export const expectTransactionEnded = (response: Response): void => {
  const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=';
  expect(response.headers.getSetCookie().slice(0, 2)).toEqual([
    expect.stringMatching(new RegExp(`^__Host-tx-[\\w-]{8}=; ${attributes}0$`)),
    expect.stringMatching(new RegExp(`^__Host-done-[\\w-]{8}=[\\w-]+; ${attributes}\\d+$`)),
  ]);
  response.headers.delete('set-cookie');
};

export const missingTransactionMessage =
  "We couldn't find this sign-in in your browser. It may have expired, been replaced by a newer " +
  'sign-in, or been started in another browser.';

/** Expects the error page for a browser that did not send back the cookie that we set. */
export const expectCookiesPage = (
  response: Response,
  deployment: Deployment,
  endpoint: 'consent' | 'callback' | 'account',
): Promise<void> =>
  expectErrorPage(response, deployment, cookieMessages[endpoint], 400, 'Cookies are required');

const noCookiesMessage =
  "Your browser didn't send our cookies. It may have blocked or deleted them, or this sign-in was started in another " +
  'browser. Allow cookies for this site.';

const cookieMessages = {
  consent: noCookiesMessage,
  callback: noCookiesMessage,
  account:
    "Your browser didn't send our cookie. It may have blocked or deleted it. Allow cookies for this site, then open " +
    'your account again.',
} as const;

/** Expects the page for a repeated callback, without a redirect, cookies or a code. */
export const expectCompletedPage = async (
  response: Response,
  outcome: CompletedModel['outcome'],
  destination: CompletedModel['destination'],
): Promise<void> => {
  expect(response.status).toBe(400);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  expect(await response.text()).toBe(
    renderCompletedPage({
      branding: parseBranding({ branding: { name: new URL(issuer).host } }, defaultAccountTexts),
      stylesheetPath: '/authorize/style.css',
      outcome,
      destination,
    }),
  );
};

export const gptDestination = { kind: 'client', name: 'Words GPT', url: 'https://chat.openai.com/' } as const;
export const accountDestination = { kind: 'account', url: '/account' } as const;

/** Expects a redirect to the client with `error`, `error_description`, `state` and `iss`, and no code. */
export const expectErrorRedirect = (
  response: Response,
  expected: {
    readonly to: string;
    readonly state?: string;
    readonly error: string;
    readonly description: string;
  },
): void => {
  expect(response.status).toBe(303);
  const location = readRedirect(response);
  expect(location.href.startsWith(`${expected.to}?`)).toBe(true);
  expect([...location.searchParams]).toEqual([
    ['error', expected.error],
    ['error_description', expected.description],
    ...(expected.state === undefined ? [] : [['state', expected.state]]),
    ['iss', issuer],
  ]);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    location: location.href,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
};

interface TokenError {
  readonly status: number;
  readonly error: string;
  readonly error_description: string;
}

const invalidGrant = { status: 400, error: 'invalid_grant' } as const;

export const invalidCodeError: TokenError = {
  ...invalidGrant,
  error_description: 'The authorization code is not valid.',
};
export const invalidRefreshTokenError: TokenError = {
  ...invalidGrant,
  error_description: 'The refresh token is not valid.',
};
export const invalidClientError: TokenError = {
  status: 401,
  error: 'invalid_client',
  error_description: 'The client could not be authenticated.',
};

/**
 * Expects the token endpoint's JSON error, with a challenge if the status is 401, and with either all of the
 * CORS headers or none.
 */
export const expectTokenError = async (
  response: Response,
  { status, ...body }: TokenError,
): Promise<void> => {
  expect(await response.json()).toEqual(body);
  expect(response.status).toBe(status);
  expect(Object.fromEntries(response.headers)).toEqual({
    'cache-control': 'no-store',
    'content-type': 'application/json',
    pragma: 'no-cache',
    'x-content-type-options': 'nosniff',
    ...(response.headers.has('access-control-allow-origin') ? corsHeaders : {}),
    ...(status === 401 ? { 'www-authenticate': `Basic realm="${issuer}", charset="UTF-8"` } : {}),
    ...(status === 429 ? { 'retry-after': '60' } : {}),
    ...(status === 503 ? { 'retry-after': '10' } : {}),
  });
};

/** Expects the API to refuse an invalid access token. */
export const expectInvalidToken = async (deployment: Deployment, token: string): Promise<void> => {
  const protection = await callApi(deployment, token);
  if (protection.ok) throw new Error('the API granted access');
  expect(protection.response.status).toBe(401);
  expect(protection.response.headers.get('www-authenticate')).toBe(
    `Bearer realm="${issuer}", error="invalid_token", error_description="The access token is not valid.", ${metadataParameter}`,
  );
  expect(await protection.response.json()).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'The access token is not valid.',
  });
};
