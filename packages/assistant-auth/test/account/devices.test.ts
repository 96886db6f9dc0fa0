/** Signed-in devices over HTTP: the sessions of a user, and signing one of them out. */
import { describe, expect, it } from 'vitest';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
} from '../account-browser.ts';
import { gpt, obtainTokens, refresh } from '../clients.ts';
import { type Deployment, deploy } from '../deployment.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { readLines } from '../ui/read-markup.ts';

const laptop =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/126.0 Safari/537.36';
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1';

/** Signs in as `subject-1`, the user whom the test clients sign in by default. */
const signInOn = async (
  deployment: Deployment,
  userAgent: string,
  subject = 'subject-1',
): Promise<AccountBrowser> => {
  const accountBrowser = createAccountBrowser(deployment, { 'user-agent': userAgent });
  await accountBrowser.signInToAccount(subject);
  return accountBrowser;
};

const readDevices = async (accountBrowser: AccountBrowser): Promise<readonly string[]> => {
  const lines = await readLines((await accountBrowser.openAccountPage()).html);
  return lines.slice(
    lines.indexOf('Signed-in devices') + 2,
    lines.findIndex((line) => line.startsWith('Lost a device')),
  );
};

const readKeys = async (accountBrowser: AccountBrowser): Promise<readonly string[]> =>
  readButtonValues((await accountBrowser.openAccountPage()).html, 'device');

describe('signed-in devices', () => {
  it('are the active sessions of the user: this one first, then the most recently used', async () => {
    const deployment = deploy();
    const onPhone = await signInOn(deployment, phone);
    const onTool = await signInOn(deployment, 'curl/8.5.0');
    deployment.advance(86_400);
    await obtainTokens(deployment, gpt);
    await signInOn(deployment, laptop, 'somebody else');
    const onLaptop = await signInOn(deployment, laptop);
    deployment.advance(86_400);
    await onPhone.openAccountPage();
    deployment.advance(86_400);
    const days = (since: number, used: number) =>
      `Signed in Jan ${since}, 2027 · Last used Jan ${used}, 2027`;
    expect(await readDevices(onTool)).toEqual([
      ...['Unknown device This device', days(15, 18)],
      ...['Safari, iPhone', days(15, 17), 'Sign out'],
      ...['Chrome, macOS', days(16, 16), 'Sign out'],
    ]);
    expect(await readDevices(onLaptop)).toEqual([
      ...['Chrome, macOS This device', days(16, 18)],
      ...['Unknown device', days(15, 18), 'Sign out'],
      ...['Safari, iPhone', days(15, 17), 'Sign out'],
    ]);
    // Also if a newer session was used in the same second.
    expect((await readDevices(onTool))[0]).toBe('Unknown device This device');
  });

  it('exclude sessions that were signed out, that have expired, or whose identity moved to another user', async () => {
    let userId = 'user-1';
    const deployment = deploy({
      resolveUser: async ({ subject }) => ({
        kind: 'accepted',
        userId: subject === 'moving' ? userId : 'user-1',
      }),
    });
    const signedOut = await signInOn(deployment, phone);
    await signedOut.post('/sign-out');
    await signInOn(deployment, phone);
    deployment.advance(7 * 86_400 - 1);
    await signInOn(deployment, phone, 'moving');
    const onLaptop = await signInOn(deployment, laptop);
    expect(await readKeys(onLaptop)).toHaveLength(2);
    deployment.advance(1);
    expect(await readKeys(onLaptop)).toHaveLength(1);
    userId = 'user-2';
    await signInOn(deployment, phone, 'moving');
    expect(await readKeys(onLaptop)).toEqual([]);
  });

  it('are stored without the text of the header, and are part of the export', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, gpt);
    const onLaptop = await signInOn(deployment, laptop);
    const { grants } = Object(await (await onLaptop.post('/export')).json());
    expect(grants).toHaveLength(2);
    expect(grants).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ clientId: 'account', device: 'Chrome, macOS' }),
        expect.not.objectContaining({ device: expect.anything() }),
      ]),
    );
  });

  it('are read without a further call to storage', async () => {
    const storage = createSpyStorage();
    const onLaptop = await signInOn(deploy({ storage }), laptop);
    const before = storage.calls.length;
    await onLaptop.openAccountPage();
    expect(storage.calls.slice(before)).toEqual(['useSession', 'readAccount']);
  });
});

describe('signing out a device', () => {
  it('ends its session at once, and no other session and no app, without a recent sign-in', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const onPhone = await signInOn(deployment, phone);
    const onTablet = await signInOn(deployment, laptop);
    deployment.advance(301);
    const onLaptop = await signInOn(deployment, laptop);
    deployment.advance(301);
    await onTablet.openAccountPage();
    const [, phoneKey = ''] = await readKeys(onLaptop);
    const { html } = await expectAccountRedirect(
      onLaptop,
      await onLaptop.post('/devices/sign-out', { device: phoneKey }),
      'device-signed-out',
    );
    expect(html).toContain('The device is signed out.');
    expect((await onPhone.openAccountPage()).kind).toBe('sign-in');
    for (const browser of [onTablet, onLaptop])
      expect((await browser.openAccountPage()).kind).toBe('account');
    expect(await readKeys(onLaptop)).toHaveLength(1);
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    expect(deployment.log).toContainEqual(
      expect.objectContaining({ event: 'revoked', endpoint: 'sign-out-device', clientId: 'account' }),
    );
    // The session issued no access token, so no revocation is recorded for the APIs.
    const page = await deployment.storage.readRevocations(undefined, deployment.now(), 10);
    expect(page).toMatchObject({ revocations: [] });
  });

  it.each([[''], ['nobody'], ['account'], ['gpt chat.openai.com'], ['x'.repeat(4000)], ['\0']])(
    'that does not exist changes nothing: %j',
    async (device) => {
      const deployment = deploy();
      const onPhone = await signInOn(deployment, phone);
      const onLaptop = await signInOn(deployment, laptop);
      await expectFormRejected(
        await onLaptop.post('/devices/sign-out', { device }),
        deployment,
        'This item is no longer in your account.',
      );
      for (const browser of [onPhone, onLaptop])
        expect((await browser.openAccountPage()).kind).toBe('account');
      expect(deployment.log).not.toContainEqual(expect.objectContaining({ event: 'revoked' }));
    },
  );

  it('that was signed out before, or with a key of another session, changes nothing', async () => {
    const deployment = deploy();
    const onPhone = await signInOn(deployment, phone);
    const onLaptop = await signInOn(deployment, laptop);
    const onTablet = await signInOn(deployment, laptop);
    const keys = await readKeys(onLaptop);
    for (const device of keys)
      await expectFormRejected(
        await onTablet.post('/devices/sign-out', { device }),
        deployment,
        'This item is no longer in your account.',
      );
    await onPhone.post('/sign-out');
    expect(await readKeys(onLaptop)).toHaveLength(1);
    const statuses: number[] = [];
    for (const device of keys) statuses.push((await onLaptop.post('/devices/sign-out', { device })).status);
    expect(statuses.toSorted()).toEqual([303, 400]);
  });
});
