/** Every sealed text of one sign-in, and the requests that present them to the broker. */

import type { BrokerOptions } from '../../src/index.ts';
import { deriveTransactionCookieName } from '../../src/sign-in/login-transaction.ts';
import {
  callApi,
  createTestBrowser,
  expectTokens,
  readRedirect,
  requestTokens,
  type TestBrowser,
} from '../browser.ts';
import { gpt, redeem } from '../clients.ts';
import { type Deployment, deploy } from '../deployment.ts';
import { createProvider } from '../fake-provider.ts';
import { startAuthorization } from '../flows.ts';
import { createSpyStorage, type SpyStorage } from '../spy-storage.ts';

export const sealedTypes = ['access', 'refresh', 'code', 'consent', 'transaction', 'formPost'] as const;
export type SealedType = (typeof sealedTypes)[number];

/** The error for a text that does not open, by the sealed type that is expected. */
export const expectedErrors: Readonly<
  Record<SealedType, { readonly status: number; readonly reason: string }>
> = {
  access: { status: 401, reason: 'token.unreadable' },
  refresh: { status: 401, reason: 'refresh.unreadable' },
  code: { status: 400, reason: 'code.unreadable' },
  consent: { status: 400, reason: 'consent.unreadable' },
  transaction: { status: 400, reason: 'transaction.unreadable' },
  formPost: { status: 400, reason: 'form-post.unreadable' },
};

export interface SealedTexts {
  readonly texts: Readonly<Record<SealedType, string>>;
  /** The browser that signed in. */
  readonly browser: TestBrowser;
  /** The `state` of its login transaction. */
  readonly state: string;
}

/** A deployment with a provider that uses form_post, because the posted response is sealed too. */
export const deployWithFormPost = (
  changes: Partial<BrokerOptions> = {},
): { readonly deployment: Deployment; readonly storage: SpyStorage } => {
  const storage = createSpyStorage(changes.storage);
  const providers = [{ ...createProvider('apple', 'Apple'), responseMode: 'form_post' } as const];
  return { deployment: deploy({ providers, ...changes, storage }), storage };
};

/** Signs a user in to ChatGPT, and collects every sealed text. */
export const collectSealedTexts = async (deployment: Deployment): Promise<SealedTexts> => {
  const { browser, consent } = await startAuthorization(deployment);
  const authorizationUrl = readRedirect(await browser.submitConsent(consent, { choice: 'apple' }));
  const state = authorizationUrl.searchParams.get('state') ?? '';
  const transaction = browser.cookies.get(await deriveTransactionCookieName(state)) ?? '';
  const formPostUrl = await postProviderResponse(deployment, state);
  const formPost = formPostUrl.searchParams.get('form_post') ?? '';
  const code = readRedirect(await browser.visit(formPostUrl.href)).searchParams.get('code') ?? '';
  const tokens = await expectTokens(await redeem(deployment, gpt, code));
  const { access_token: access, refresh_token: refresh } = tokens;
  return { texts: { access, refresh, code, consent, transaction, formPost }, browser, state };
};

/** Presents a text where one of type `kind` is expected. Returns the status, and the reason of a refusal. */
export const presentText = async (
  deployment: Deployment,
  sealed: SealedTexts,
  kind: SealedType,
  text: string,
) => {
  const before = deployment.log.length;
  const status = await presenters[kind](deployment, sealed, text);
  const refusal = deployment.log.slice(before).find(({ event }) => event === 'refused');
  return { status, reason: refusal?.reason, cause: refusal?.cause };
};

type Presenter = (deployment: Deployment, sealed: SealedTexts, text: string) => Promise<number>;

const presenters: Readonly<Record<SealedType, Presenter>> = {
  async access(deployment, _, text) {
    const protection = await callApi(deployment, text);
    return protection.ok ? 200 : protection.response.status;
  },
  refresh: async (deployment, _, text) => (await requestTokens(deployment, gpt.refreshRequest(text))).status,
  code: async (deployment, _, text) => (await redeem(deployment, gpt, text)).status,
  consent: async (deployment, { browser }, text) =>
    (await copyBrowser(deployment, browser).submitConsent(text, { choice: 'apple' })).status,
  async transaction(deployment, { browser, state }, text) {
    const otherBrowser = copyBrowser(deployment, browser);
    otherBrowser.cookies.set(await deriveTransactionCookieName(state), text);
    return (await otherBrowser.visit((await postProviderResponse(deployment, state)).href)).status;
  },
  async formPost(deployment, { browser, state, texts }, text) {
    const otherBrowser = copyBrowser(deployment, browser);
    otherBrowser.cookies.set(await deriveTransactionCookieName(state), texts.transaction);
    const query = new URLSearchParams({ form_post: text });
    return (await otherBrowser.visit(`${deployment.issuer}/callback/apple?${query}`)).status;
  },
};

/** Another window of the same browser, possibly pointed at another deployment. */
const copyBrowser = (deployment: Deployment, { cookies }: TestBrowser): TestBrowser => {
  const browser = createTestBrowser(deployment);
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  return browser;
};

/** Posts the provider's response, and returns the URL that the browser is redirected to. */
const postProviderResponse = async (deployment: Deployment, state: string): Promise<URL> => {
  const body = new URLSearchParams({ state, code: 'ada' });
  const request = new Request(`${deployment.issuer}/callback/apple`, { method: 'POST', body });
  return readRedirect(await deployment.fetch(request));
};
