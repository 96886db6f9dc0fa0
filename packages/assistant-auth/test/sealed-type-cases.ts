/**
 * A case for each kind of sealed value: how one deployment seals it, and how it is presented to another
 * deployment with the same storage.
 */
import { deriveResourceKeys } from '../src/index.ts';
import { createResourceServer } from '../src/resource-server.ts';
import { type AccountBrowser, createAccountBrowser, readHiddenField } from './account-browser.ts';
import { callApi, gptRequest, gptSignIn, readRedirect } from './browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, type TestClient } from './clients.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';
import { createProvider } from './fake-provider.ts';
import { continueToProvider, startAuthorization } from './flows.ts';

/** A deployment with its key ring. */
export interface DeploymentWithKeys extends Deployment {
  readonly keyRing: string;
}

/** Presents the sealed value to a deployment, and returns a short summary of the response. */
type Present = (deployment: DeploymentWithKeys) => Promise<string>;

export interface SealedTypeCase {
  readonly name: string;
  /** The response of a deployment that can open the value. */
  readonly accepted: string;
  /** The response of a deployment that does not have the key. */
  readonly refused: string;
  readonly seal: (deployment: DeploymentWithKeys) => Promise<Present>;
}

/**
 * Creates storage and a clock that several deployments share, and records the upstream tokens that were sent
 * to the provider.
 */
export const createSharedStorage = ({ storage }: Pick<Deployment, 'storage'>) => {
  const receivedTokens: string[] = [];
  let instant = 1_800_000_000;
  const google = {
    ...createProvider('google', 'Google'),
    validateRefreshToken: async (token: string) => {
      receivedTokens.push(token);
      return { kind: 'active' } as const;
    },
  };
  const apple = { ...createProvider('apple', 'Apple'), responseMode: 'form_post' } as const;
  const providers = [google, apple, createProvider('other', 'Other')];
  return {
    receivedTokens,
    advance(seconds: number) {
      instant += seconds;
    },
    run: (keyRing: string): DeploymentWithKeys => ({
      ...deploy({ storage, providers, sealingKeys: keyRing, now: () => instant }),
      keyRing,
    }),
  };
};

export type SharedStorage = ReturnType<typeof createSharedStorage>;

/** Returns a browser at another deployment with the same cookies. */
const copyBrowser = (
  deployment: DeploymentWithKeys,
  { cookies }: Pick<AccountBrowser, 'cookies'>,
): AccountBrowser => {
  const accountBrowser = createAccountBrowser(deployment);
  for (const [name, value] of cookies) accountBrowser.cookies.set(name, value);
  return accountBrowser;
};

const summarizeTokenResponse = async (response: Response): Promise<string> => {
  const { error = '' }: { error?: string } = response.headers.get('content-type')?.includes('json')
    ? await response.json()
    : {};
  return `${response.status} ${error}`.trim();
};

/**
 * Returns the parameter names of a redirect, or the status of a page with the logged reason, because pages
 * for different reasons share a status.
 */
const summarizeResponse = (response: Response, { log }: DeploymentWithKeys): string =>
  response.status === 302 || response.status === 303
    ? [...readRedirect(response).searchParams.keys()].join(' ')
    : `${response.status} ${log.at(-1)?.reason}`;

const refreshTokenOf =
  (testClient: TestClient): SealedTypeCase['seal'] =>
  async (sealingDeployment) => {
    const { refresh_token: token } = await obtainTokens(sealingDeployment, testClient);
    return async (deployment) => summarizeTokenResponse(await refresh(deployment, testClient, token));
  };

const signInToAccount = async (
  deployment: DeploymentWithKeys,
  providerResponse: Readonly<Record<string, string>> = {},
): Promise<AccountBrowser> => {
  const ada = createAccountBrowser(deployment);
  await ada.signInToAccount('ada', 'google', providerResponse);
  return ada;
};

export const sealedTypeCases = ({ receivedTokens, advance }: SharedStorage): readonly SealedTypeCase[] => [
  {
    ...{ name: 'an access token', accepted: 'granted', refused: '401' },
    async seal(sealingDeployment) {
      const { access_token: token } = await gptSignIn(sealingDeployment);
      return async (deployment) => {
        const protection = await callApi(deployment, token);
        return protection.ok ? 'granted' : String(protection.response.status);
      };
    },
  },
  {
    ...{ name: 'an access token at an API in another process', accepted: 'granted', refused: '401' },
    async seal(sealingDeployment) {
      const { access_token: token } = await gptSignIn(sealingDeployment);
      return async ({ keyRing, now }) => {
        const resource = `${issuer}/api`;
        const keys = await deriveResourceKeys({ sealingKeys: keyRing, issuer, resource });
        const server = createResourceServer({ issuer, resource, keys, now, log: () => {} });
        const headers = { authorization: `Bearer ${token}` };
        const protection = await server.protect(new Request(resource, { headers }));
        return protection.ok ? 'granted' : String(protection.response.status);
      };
    },
  },
  {
    ...{ name: 'a stable refresh token', accepted: '200', refused: '401 invalid_grant' },
    seal: refreshTokenOf(gpt),
  },
  {
    ...{ name: 'a rotating refresh token', accepted: '200', refused: '400 invalid_grant' },
    seal: refreshTokenOf(app),
  },
  {
    ...{ name: 'a refresh token to be revoked', accepted: 'revoked', refused: 'ignored' },
    async seal(sealingDeployment) {
      const { refresh_token: token } = await obtainTokens(sealingDeployment, app);
      return async (deployment) => {
        const body = new URLSearchParams({ client_id: 'app', token });
        await deployment.fetch(new Request(`${issuer}/revoke`, { method: 'POST', body }));
        return (await refresh(sealingDeployment, app, token)).status === 200 ? 'ignored' : 'revoked';
      };
    },
  },
  {
    ...{ name: 'an authorization code', accepted: '200', refused: '400 invalid_grant' },
    async seal(sealingDeployment) {
      const code = await obtainCode(sealingDeployment, gpt);
      return async (deployment) => summarizeTokenResponse(await redeem(deployment, gpt, code));
    },
  },
  {
    ...{ name: 'a consent form', accepted: 'state nonce redirect_uri', refused: '400 consent.unreadable' },
    async seal(sealingDeployment) {
      const { browser, consent } = await startAuthorization(sealingDeployment);
      return async (deployment) =>
        summarizeResponse(
          await copyBrowser(deployment, browser).submitConsent(consent, { choice: 'google' }),
          deployment,
        );
    },
  },
  {
    ...{ name: 'a consent form and the session that it offers', accepted: 'code state iss' },
    refused: '400 consent.unreadable',
    async seal(sealingDeployment) {
      const ada = await signInToAccount(sealingDeployment, { refresh: 'theirs' });
      const { consent } = await ada.openSignInPage(gptRequest);
      return async (deployment) =>
        summarizeResponse(
          await copyBrowser(deployment, ada).submitConsent(consent, { choice: 'continue' }),
          deployment,
        );
    },
  },
  {
    ...{ name: 'a login transaction', accepted: 'code state iss', refused: '400 transaction.unreadable' },
    async seal(sealingDeployment) {
      const { browser, callbackUrl } = await continueToProvider(sealingDeployment);
      return async (deployment) =>
        summarizeResponse(
          await copyBrowser(deployment, browser).visit(callbackUrl({ code: 'ada' })),
          deployment,
        );
    },
  },
  {
    ...{ name: 'a completed login transaction', accepted: '400 transaction.replayed' },
    refused: '400 transaction.missing',
    async seal(sealingDeployment) {
      const { browser, returnFromProvider, callbackUrl } = await continueToProvider(sealingDeployment);
      await returnFromProvider({ code: 'ada' });
      return async (deployment) =>
        summarizeResponse(
          await copyBrowser(deployment, browser).visit(callbackUrl({ code: 'ada' })),
          deployment,
        );
    },
  },
  {
    ...{ name: 'a response that a provider posted', accepted: 'code state iss' },
    refused: '400 form-post.unreadable',
    async seal(sealingDeployment) {
      const { browser, state } = await continueToProvider(sealingDeployment, gptRequest, 'apple');
      const body = new URLSearchParams({ state, code: 'ada' });
      const redirectResponse = await sealingDeployment.fetch(
        new Request(`${issuer}/callback/apple`, { method: 'POST', body }),
      );
      return async (deployment) =>
        summarizeResponse(
          await copyBrowser(deployment, browser).visit(readRedirect(redirectResponse).href),
          deployment,
        );
    },
  },
  {
    ...{ name: 'a session cookie', accepted: 'account', refused: 'sign-in' },
    async seal(sealingDeployment) {
      const ada = await signInToAccount(sealingDeployment);
      return async (deployment) => (await copyBrowser(deployment, ada).openAccountPage()).kind;
    },
  },
  {
    ...{ name: 'an account page form', accepted: '303', refused: '400' },
    async seal(sealingDeployment) {
      const ada = await signInToAccount(sealingDeployment);
      const { form } = await ada.openAccountPage();
      return async (deployment) =>
        String((await copyBrowser(deployment, ada).post('/sign-out', {}, form)).status);
    },
  },
  {
    ...{ name: 'a pending link', accepted: 'linked', refused: '400' },
    async seal(sealingDeployment) {
      const ada = await signInToAccount(sealingDeployment);
      const linkResponse = await ada.submitThroughProvider(
        '/link',
        { choice: 'other' },
        { code: 'cat', refresh: 'cats' },
      );
      const html = await linkResponse.text();
      const fields = { link: readHiddenField(html, 'link'), confirm: '1' };
      return async (deployment) => {
        const { status } = await copyBrowser(deployment, ada).post(
          '/link/confirm',
          fields,
          readHiddenField(html, 'form'),
        );
        const owner = await deployment.storage.findUser({ provider: 'other', subject: 'cat' });
        return owner === undefined ? String(status) : 'linked';
      };
    },
  },
  {
    ...{
      name: 'a stored upstream token',
      accepted: 'rechecked with theirs',
      refused: 'rechecked with nothing',
    },
    async seal(sealingDeployment) {
      await signInToAccount(sealingDeployment, { refresh: 'theirs' });
      return async (deployment) => {
        const { refresh_token: token } = await gptSignIn(deployment, 'ada');
        advance(601);
        receivedTokens.length = 0;
        await refresh(deployment, gpt, token);
        return `rechecked with ${receivedTokens.join() || 'nothing'}`;
      };
    },
  },
];
