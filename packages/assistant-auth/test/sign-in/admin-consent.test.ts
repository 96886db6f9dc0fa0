/** Microsoft’s admin consent: the browser returns to the callback without a code. */
import { describe, expect, it } from 'vitest';
import { google, type IdentityProvider, microsoft, oidc } from '../../src/index.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { deploy, issuer } from '../deployment.ts';
import { accountDestination, expectCompletedPage, expectErrorPage, gptDestination } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { continueToProvider } from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const credentials = { clientId: 'client-id', clientSecret: 's'.repeat(32) };
const tenant = '9b1c0a52-6f6e-4a53-8f0b-7d1f0c9a2e11';
const entra = (host: string) =>
  oidc({ ...credentials, id: 'entra', displayName: 'Entra', issuer: `https://${host}/${tenant}/v2.0` });
const { readAdminConsent } = microsoft(credentials);

/** A provider as Microsoft is one, and the storage and the requests of its deployment. */
const deployWithAdminConsent = (changes: Partial<IdentityProvider> = {}) => {
  const spy = createSpyProvider('microsoft');
  const provider = { ...spy, ...(readAdminConsent && { readAdminConsent }), ...changes };
  const storage = createSpyStorage();
  return {
    spy,
    storage,
    deployment: deploy({ providers: [provider, createProvider('other', 'Other')], storage }),
  };
};

const unknownDestination = { kind: 'unknown' } as const;

/** Like `expectCompletedPage`, with status 200 and without cookies. */
const expectConsentPage = async (
  response: Response,
  ...expected: [
    outcome: 'consent-given' | 'consent-declined',
    destination: Parameters<typeof expectCompletedPage>[2],
  ]
) => {
  expect(response.status).toBe(200);
  expect(response.headers.getSetCookie()).toEqual([]);
  await expectCompletedPage(
    new Response(response.body, { status: 400, headers: response.headers }),
    ...expected,
  );
};

describe('admin consent', () => {
  it.each<[string, 'consent-given' | 'consent-declined']>([
    [`admin_consent=True&tenant=${tenant}`, 'consent-given'],
    [`admin_consent=true&tenant=${tenant}`, 'consent-given'],
    [`admin_consent=TRUE&tenant=${tenant}&scope=openid+profile`, 'consent-given'],
    [`admin_consent=False&tenant=${tenant}`, 'consent-declined'],
    ['admin_consent=other', 'consent-declined'],
    [`error=access_denied&error_subcode=cancel&admin_consent=True&tenant=${tenant}`, 'consent-declined'],
    ['error=consent_required&error_description=text&admin_consent=True', 'consent-declined'],
  ])('shows a page: %s', async (query, outcome) => {
    const { spy, storage, deployment } = deployWithAdminConsent();
    const url = `${issuer}/callback/microsoft?${query}`;
    await expectConsentPage(await createTestBrowser(deployment).visit(url), outcome, unknownDestination);
    await expectConsentPage(
      await createTestBrowser(deployment).visit(`${url}&state=unknown`),
      outcome,
      unknownDestination,
    );
    const { browser, state } = await continueToProvider(deployment, gptRequest, 'microsoft');
    const cookies = new Map(browser.cookies);
    await expectConsentPage(await browser.visit(`${url}&state=${state}`), outcome, gptDestination);
    await expectConsentPage(await browser.visit(url), outcome, unknownDestination);
    expect(browser.cookies).toEqual(cookies);
    expect(spy.tokenRequests).toEqual([]);
    expect(storage.calls).toEqual([]);
    // The sign-in can still be completed.
    const completed = await browser.visit(`${issuer}/callback/microsoft?code=ada&state=${state}`);
    expect(readRedirect(completed).searchParams.has('code')).toBe(true);
  });

  it('links to the account page if the sign-in was to it', async () => {
    const { deployment } = deployWithAdminConsent();
    const browser = createAccountBrowser(deployment);
    const url = readRedirect(await browser.post('/sign-in', { choice: 'microsoft' }));
    const query = `admin_consent=True&state=${url.searchParams.get('state')}`;
    await expectConsentPage(
      await browser.visit(`${issuer}/callback/microsoft?${query}`),
      'consent-given',
      accountDestination,
    );
  });

  it.each(['True', 'False'])('shows an error page if the parameter is repeated: %s', async (value) => {
    const { spy, deployment } = deployWithAdminConsent();
    const { returnFromProvider, state, browser } = await continueToProvider(
      deployment,
      gptRequest,
      'microsoft',
    );
    const url = `${issuer}/callback/microsoft?admin_consent=True&admin_consent=${value}&state=${state}`;
    await expectErrorPage(await browser.visit(url), deployment, 'A parameter was sent more than once.');
    expect(spy.tokenRequests).toEqual([]);
    expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.has('code')).toBe(true);
  });

  it.each([
    ['a code', { code: 'ada', admin_consent: 'True' }, 'code'],
    ['an error without the parameter', { error: 'access_denied' }, 'error'],
    ['an error and an empty parameter', { error: 'access_denied', admin_consent: '' }, 'error'],
  ])('is not the response to a sign-in, which has %s', async (_, query, parameter) => {
    const { deployment } = deployWithAdminConsent();
    const { returnFromProvider } = await continueToProvider(deployment, gptRequest, 'microsoft');
    expect(readRedirect(await returnFromProvider({ ...query })).searchParams.has(parameter)).toBe(true);
  });

  describe('of a provider with form_post', () => {
    const post = (deployment: ReturnType<typeof deploy>, fields: Readonly<Record<string, string>>) =>
      deployment.fetch(
        new Request(`${issuer}/callback/microsoft`, { method: 'POST', body: new URLSearchParams(fields) }),
      );

    it.each<[string, Readonly<Record<string, string>>, 'consent-given' | 'consent-declined']>([
      ['given', { admin_consent: 'True', tenant }, 'consent-given'],
      ['declined', { admin_consent: 'True', tenant, error: 'access_denied' }, 'consent-declined'],
    ])('shows the page if it is posted, or in the query: %s', async (_, fields, outcome) => {
      const { spy, deployment } = deployWithAdminConsent({ responseMode: 'form_post' });
      const { browser, state } = await continueToProvider(deployment, gptRequest, 'microsoft');
      const posted = readRedirect(await post(deployment, fields)).href;
      await expectConsentPage(await browser.visit(posted), outcome, unknownDestination);
      const withState = readRedirect(await post(deployment, { ...fields, state })).href;
      await expectConsentPage(await browser.visit(withState), outcome, gptDestination);
      const query = new URLSearchParams(fields);
      await expectConsentPage(
        await browser.visit(`${issuer}/callback/microsoft?${query}`),
        outcome,
        unknownDestination,
      );
      expect(spy.tokenRequests).toEqual([]);
    });
  });

  it('W19.1 a made-up URL cannot put text on the page', async () => {
    const { deployment } = deployWithAdminConsent();
    const evil = 'Call +1 555 0100 now';
    for (const name of [
      'tenant',
      'error',
      'error_description',
      'error_subcode',
      'scope',
      'state',
      'admin_consent',
    ]) {
      const query = new URLSearchParams({ admin_consent: 'True', [name]: evil });
      const response = await createTestBrowser(deployment).visit(`${issuer}/callback/microsoft?${query}`);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toMatch(/555 0100|Words GPT/);
    }
  });

  it('W19.1 a made-up URL cannot show the client of another browser', async () => {
    const { deployment } = deployWithAdminConsent();
    const { state } = await continueToProvider(deployment, gptRequest, 'microsoft');
    const response = await createTestBrowser(deployment).visit(
      `${issuer}/callback/microsoft?admin_consent=True&state=${state}`,
    );
    expect(await response.text()).not.toContain('Words GPT');
  });

  it('W19.2 other providers do not show the page, and the response is one to a sign-in', async () => {
    const { deployment, browser } = await continueToProvider(
      deployWithAdminConsent().deployment,
      gptRequest,
      'microsoft',
    );
    const response = await browser.visit(`${issuer}/callback/other?admin_consent=True`);
    expect(response.status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.missing' });
  });

  it.each([
    'login.microsoftonline.com',
    'login.microsoftonline.us',
    'login.partner.microsoftonline.cn',
    'acme.ciamlogin.com',
    'sts.windows.net',
  ])('W19.2 can occur if Microsoft Entra is the issuer: %s', (host) => {
    expect(entra(host).readAdminConsent).toBeDefined();
  });

  it.each([
    'login.acme.example',
    'login.microsoftonline.com.evil.example',
    'evilciamlogin.com',
    'xlogin.microsoftonline.com',
  ])('W19.2 cannot occur with any other issuer: %s', (host) => {
    expect(entra(host).readAdminConsent).toBeUndefined();
  });

  it('W19.2 cannot occur with Google', () => {
    expect(google(credentials)).not.toHaveProperty('readAdminConsent');
  });
});
