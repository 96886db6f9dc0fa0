import { describe, expect, it } from 'vitest';
import type { IdentityProvider, RecheckResult, RevocationScope } from '../../../src/index.ts';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectAccountRedirect,
  readButtonValues,
} from '../../account-browser.ts';
import { gptRequest } from '../../browser.ts';
import { gpt, obtainTokens, refresh } from '../../clients.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { expectInvalidToken } from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';

const saying = (word: RecheckResult): IdentityProvider => ({
  ...createProvider('google', 'Google'),
  validateRefreshToken: async () => word,
});

/** Somebody whose session cookie, pages and forms an attacker has kept from when it lived. */
const captured = async (word: RecheckResult = { kind: 'active' }) => {
  const deployment = deploy({ providers: [saying(word), createProvider('other', 'Other')] });
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount('subject-1', 'google', { refresh: 'r-1' });
  const tokens = await obtainTokens(deployment, gpt);
  const { form } = await accountBrowser.openAccountPage();
  const { consent } = await accountBrowser.openSignInPage(gptRequest);
  const cookies = new Map(accountBrowser.cookies);
  const putBack = () => {
    for (const [name, value] of cookies) accountBrowser.cookies.set(name, value);
    accountBrowser.cookies.delete('__Host-notice');
  };
  return { deployment, accountBrowser, tokens, form, consent, putBack };
};

const userOf = async (deployment: Deployment): Promise<string> =>
  (await deployment.storage.findUser({ provider: 'google', subject: 'subject-1' })) ?? 'nobody';

type Captured = Awaited<ReturnType<typeof captured>>;

/** The kept cookie opens no page, and none of the kept forms does anything. */
const expectUseless = async ({ deployment, accountBrowser, form, consent, putBack }: Captured) => {
  const before = await everythingOf(deployment);
  putBack();
  expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  const fields = { all: '1', app: 'gpt chat.openai.com', choice: 'other', identity: 'x', confirm: 'yes' };
  for (const action of [
    '/apps/end',
    '/link',
    '/link/confirm',
    '/unlink',
    '/export',
    '/delete',
    '/sign-out',
  ]) {
    putBack();
    const response = await accountBrowser.post(action, fields, form);
    expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
  }
  putBack();
  const page = await (await accountBrowser.openSignInPage(gptRequest)).response.text();
  expect(readButtonValues(page, 'choice')).toEqual(['google', 'other']);
  putBack();
  const answer = await accountBrowser.submitConsent(consent, { choice: 'continue' });
  expect(answer.status).toBe(200);
  expect(readButtonValues(await answer.text(), 'choice')).toEqual(['google', 'other']);
  expect(await everythingOf(deployment)).toEqual(before);
};

const everythingOf = async (deployment: Deployment) =>
  deployment.storage.readAccount(await userOf(deployment));

describe('B16', () => {
  it('B16.1 sign-out: the cookie is worth nothing afterwards', async () => {
    const all = await captured();
    await all.accountBrowser.post('/sign-out');
    await expectUseless(all);
  });

  it('B16.2 revoke-all: the cookie is worth nothing afterwards, in whichever browser it was said', async () => {
    const all = await captured();
    const elsewhere = createAccountBrowser(all.deployment);
    await elsewhere.signInToAccount('subject-1');
    await elsewhere.post('/apps/end', { all: '1' });
    await expectUseless(all);
  });

  it('B16.3 gone at the provider: a refresh that finds out ends the session, too', async () => {
    const all = await captured({ kind: 'revoked' });
    expect((await refresh(all.deployment, gpt, all.tokens.refresh_token)).status).toBe(401);
    await expectUseless(all);
  });

  /** A provider's signal about the person, as the endpoints for them record it. */
  const tell = ({ deployment }: Captured, revocationScope: RevocationScope) =>
    deployment.storage.recordSecurityEvent({
      ...{ provider: 'google', jti: 'event-1', reason: 'a signal', retainUntil: deployment.now() + 600 },
      ...{ signedInBefore: deployment.now(), now: deployment.now() },
      revocations: [{ target: { kind: 'identity', subject: 'subject-1' }, revocationScope }],
    });

  it.each([
    ['B16.4 security event: one that ends every grant', 'identity'],
    ['B16.4 security event: one that ends sessions only', 'sessions'],
    ['B16.5 logout: at the provider', 'online-grants'],
  ] as const)('%s leaves a cookie that is worth nothing', async (_, revocationScope) => {
    const all = await captured();
    expect(await tell(all, revocationScope)).toBe('recorded');
    await expectUseless(all);
    const left = await refresh(all.deployment, gpt, all.tokens.refresh_token);
    expect(left.status).toBe(revocationScope === 'identity' ? 401 : 200);
  });

  it('B16.6 deletion: the cookie is worth nothing afterwards, and brings nobody back', async () => {
    const all = await captured();
    await all.accountBrowser.post('/delete', { confirm: 'yes' });
    await expectUseless(all);
    expect(await userOf(all.deployment)).toBe('nobody');
  });
});

describe('F8', () => {
  it('F8.1 deletion: refresh is dead at once, the API within ten seconds', async () => {
    const { deployment, accountBrowser, tokens } = await captured();
    await accountBrowser.post('/delete', { confirm: 'yes' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('F8.2 sign-out: ending everything ends the refresh token, and signing out of this browser does not', async () => {
    const { deployment, accountBrowser, tokens } = await captured();
    await accountBrowser.post('/sign-out');
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await accountBrowser.signInToAccount('subject-1');
    await accountBrowser.post('/apps/end', { all: '1' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, tokens.access_token);
  });
});

describe('W12', () => {
  it('W12.1 deletion: ends every grant and session, and a late call brings nobody back', async () => {
    const { deployment, accountBrowser, tokens } = await captured();
    const late: AccountBrowser = createAccountBrowser(deployment);
    await late.signInToAccount('subject-1', 'google', { refresh: 'r-1' });
    const { consent } = await late.openSignInPage(gptRequest);
    const { form } = await late.openAccountPage();
    await accountBrowser.post('/delete', { confirm: 'yes' });
    await late.submitConsent(consent, { choice: 'continue' });
    await late.post('/link', { choice: 'other' }, form);
    await refresh(deployment, gpt, tokens.refresh_token);
    expect(await userOf(deployment)).toBe('nobody');
    await deployment.storage.storeUpstreamToken({
      provider: 'google',
      subject: 'subject-1',
      sealedRefreshToken: 'x',
    });
    expect(await userOf(deployment)).toBe('nobody');
  });
});
