/** Cleanups by a server whose clock is ahead of the others: nothing that was revoked or used works again. */
import { describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, createTestBrowser } from '../browser.ts';
import { app, gpt, obtainTokens, refresh } from '../clients.ts';
import { type Deployment, deploy } from '../deployment.ts';
import { expectInvalidToken } from '../expect-error.ts';
import { continueToProvider } from '../flows.ts';
import { deployForSecurityEvents, logoutToken, sendLogoutToken } from '../security-event-fixtures.ts';

const clocks = [15, 240, 300];

/** Runs the cleanup on a server of the same deployment whose clock is ahead. */
const cleanUp = async ({ storage, now }: Deployment, ahead: number): Promise<void> => {
  const changes: Partial<BrokerOptions> = { storage, now: () => now() + ahead };
  await deploy(changes).broker.cleanup();
};

describe.each(clocks)('a cleanup whose clock is %i s ahead', (ahead) => {
  it.each([
    ['a grant', { kind: 'grant' }],
    ['a user', { kind: 'user' }],
    ['a client', { kind: 'client' }],
  ] as const)('T17.1 revocation of %s: the access token does not work again', async (_, { kind }) => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const call = await callApi(deployment, access_token);
    if (!call.ok) throw new Error('the API refused');
    const id = { grant: call.grant.id, user: call.user.id, client: 'gpt' }[kind];
    await deployment.storage.revoke({ kind, id }, 'a test', deployment.now());
    // The last second in which the token would be valid.
    deployment.advance(1799);
    await cleanUp(deployment, ahead);
    // Another isolate, which has read no revocations yet.
    const isolate = deploy({ storage: deployment.storage, now: deployment.now });
    await expectInvalidToken(isolate, access_token);
  });

  it('T17.2 callback: one that arrives again within an hour creates no second grant', async () => {
    const storage = memoryStorage();
    const lifetimes = { transaction: 3600 };
    const deployment = deploy({ storage, lifetimes });
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const cookies = new Map(browser.cookies);
    await browser.visit(callbackUrl({ code: 'ada' }));
    deployment.advance(3599);
    await cleanUp(deployment, ahead);
    const copy = createTestBrowser(deploy({ storage, lifetimes, now: deployment.now }));
    for (const [name, value] of cookies) copy.cookies.set(name, value);
    const response = await copy.visit(callbackUrl({ code: 'ada' }));
    expect(response.headers.get('location')).toBeNull();
    expect(await response.text()).toContain('signed in');
  });

  it('T17.3 security event: a logout token that arrives again is recognized', async () => {
    const fixture = await deployForSecurityEvents();
    const token = await logoutToken();
    expect((await sendLogoutToken(fixture, token)).status).toBe(200);
    fixture.deployment.advance(119);
    await cleanUp(fixture.deployment, ahead);
    expect((await sendLogoutToken(fixture, token)).status).toBe(400);
    expect(fixture.log().at(-1)).toMatchObject({ reason: 'security-event.replayed' });
  });

  it('T17.4 refresh token: the reuse of a replaced one is detected until the family expires', async () => {
    const deployment = deploy({ lifetimes: { rotatingRefreshIdle: 3600 } });
    const first = await obtainTokens(deployment, app);
    await refresh(deployment, app, first.refresh_token);
    deployment.advance(3599);
    await cleanUp(deployment, ahead);
    expect((await refresh(deployment, app, first.refresh_token)).status).toBe(200);
  });
});

it('T17.1 revocation: a server whose clock was ahead for a moment does not lose it', async () => {
  let skew = 0;
  const deployment = deploy();
  const isolate = deploy({ storage: deployment.storage, now: () => deployment.now() + skew });
  const { access_token } = await obtainTokens(deployment, gpt);
  await callApi(isolate, access_token);
  const call = await callApi(deployment, access_token);
  if (!call.ok) throw new Error('the API refused');
  deployment.advance(1780);
  await deployment.storage.revoke({ kind: 'grant', id: call.grant.id }, 'a test', deployment.now());
  // It reads the revocation while its clock says that the token has expired.
  skew = 60;
  const other = await obtainTokens(deployment, app);
  await callApi(isolate, other.access_token);
  skew = 0;
  await expectInvalidToken(isolate, access_token);
});
