import { describe, expect, test } from 'vitest';
import type { AccountOptions } from '../../src/account/context.ts';
import { accountPages } from '../../src/account/index.ts';
import type { BrokerOptions } from '../../src/config.ts';
import { StorageUnavailable } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createAccountBrowser, expectAccountRedirect, expectFormRejected } from '../account-browser.ts';
import { gptSignIn } from '../browser.ts';
import { gpt, refresh } from '../clients.ts';
import { deploy } from '../deployment.ts';
import { expectInvalidToken } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';

const ada = { provider: 'google', subject: 'ada' } as const;

const signedIn = async (options: AccountOptions = {}, changes: Partial<BrokerOptions> = {}) => {
  const deployment = deploy({ account: accountPages(options), ...changes });
  const accountBrowser = createAccountBrowser(deployment);
  const tokens = await gptSignIn(deployment, 'ada');
  await accountBrowser.signInToAccount('ada', 'google', { refresh: 'their-refresh-token' });
  return { deployment, accountBrowser, tokens };
};

describe('exporting', () => {
  test('gives a file with all that is stored, the publisher’s part too', async () => {
    const { deployment, accountBrowser } = await signedIn({ onExportUser: async () => ({ score: 7 }) });
    const response = await accountBrowser.post('/export');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="my-data.json"',
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    const at = new Date(deployment.now() * 1000).toISOString();
    const grant = { provider: 'google', claims: {}, grantedAt: at, lastUsedAt: at };
    expect(await response.json()).toEqual({
      exportedAt: at,
      userId: await deployment.storage.findUser(ada),
      createdAt: at,
      identities: [
        { ...ada, label: 'ada@example.com', providerTokenStored: true, addedAt: at, lastSignInAt: at },
      ],
      grants: expect.arrayContaining([
        {
          ...grant,
          clientId: 'gpt',
          redirectUri: expect.stringContaining('chat.openai.com'),
          scopes: ['words', 'score'],
          resource: 'https://words.example/api',
        },
        {
          ...grant,
          clientId: 'account',
          redirectUri: 'https://words.example/account',
          scopes: [],
          resource: 'https://words.example',
        },
      ]),
      history: [],
      app: { score: 7 },
    });
  });

  test('asks the publisher for this user, and leaves out a part that is not there', async () => {
    const asked: string[] = [];
    const { deployment, accountBrowser } = await signedIn({
      onExportUser: async (id) => void asked.push(id),
    });
    const file: object = await (await accountBrowser.post('/export')).json();
    expect(file).not.toHaveProperty('app');
    expect(asked).toEqual([await deployment.storage.findUser(ada)]);
  });

  test('holds no token and no secret', async () => {
    const { accountBrowser, tokens } = await signedIn();
    const text = await (await accountBrowser.post('/export')).text();
    for (const secret of ['their-refresh-token', tokens.access_token, tokens.refresh_token])
      expect(text).not.toContain(secret);
  });
});

describe('deleting the account', () => {
  test('ends every grant and session, and forgets the person', async () => {
    const { deployment, accountBrowser, tokens } = await signedIn();
    const elsewhere = createAccountBrowser(deployment);
    await elsewhere.signInToAccount();
    const userId = (await deployment.storage.findUser(ada)) ?? '';
    const { kind, html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', { confirm: 'yes' }),
      'deleted',
    );
    expect(kind).toBe('sign-in');
    expect(html).toContain('Your account is deleted.');
    expect(await deployment.storage.readAccount(userId)).toBeUndefined();
    expect(await deployment.storage.findUser(ada)).toBeUndefined();
    expect((await elsewhere.openAccountPage()).kind).toBe('sign-in');
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, tokens.access_token);
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'deleted', endpoint: 'delete' }));
  });

  test('takes more than the button: the box must be ticked', async () => {
    const { deployment, accountBrowser } = await signedIn();
    for (const fields of [{}, { confirm: '' }, { confirm: 'no' }]) {
      const { html } = await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/delete', fields),
        'delete-not-confirmed',
      );
      expect(html).toContain('Nothing was deleted');
    }
    expect(await deployment.storage.findUser(ada)).toBeDefined();
  });

  test('has the publisher delete its part first; while that fails nothing is deleted', async () => {
    const deleted: string[] = [];
    let failing = true;
    const { deployment, accountBrowser } = await signedIn({
      async onDeleteUser(userId) {
        deleted.push(userId);
        if (failing) throw new Error('no route to the scores');
      },
    });
    const userId = await deployment.storage.findUser(ada);
    const response = await accountBrowser.post('/delete', { confirm: 'yes' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('no route');
    expect(await deployment.storage.findUser(ada)).toBe(userId);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    failing = false;
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', { confirm: 'yes' }),
      'deleted',
    );
    expect(deleted).toEqual([userId, userId]);
  });

  test('revokes the provider’s tokens, and is done whatever the provider says', async () => {
    const revoked: string[] = [];
    const google = {
      ...createProvider('google', 'Google'),
      async revoke(token: string) {
        revoked.push(token);
        throw new Error('503');
      },
    };
    const { deployment, accountBrowser } = await signedIn({}, { providers: [google] });
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', { confirm: 'yes' }),
      'deleted',
    );
    expect(revoked).toEqual(['their-refresh-token']);
    const line = deployment.log.find(({ event }) => event === 'revocation-failed');
    expect(line).toMatchObject({ provider: 'google', cause: 'Error: 503' });
    expect(JSON.stringify(line)).not.toContain('their-refresh-token');
  });

  test('changes nothing while storage is out of reach, and can be tried again', async () => {
    const memory = memoryStorage();
    let down = true;
    const storage = {
      ...memory,
      deleteUser: (deletion: Parameters<typeof memory.deleteUser>[0]) =>
        down ? Promise.reject(new StorageUnavailable('down')) : memory.deleteUser(deletion),
    };
    const { deployment, accountBrowser } = await signedIn({}, { storage });
    const response = await accountBrowser.post('/delete', { confirm: 'yes' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    down = false;
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', { confirm: 'yes' }),
      'deleted',
    );
    expect(await deployment.storage.findUser(ada)).toBeUndefined();
  });
});

test('an account that is deleted while its page is open is signed out', async () => {
  const { deployment, accountBrowser } = await signedIn();
  const { form } = await accountBrowser.openAccountPage();
  const userId = (await deployment.storage.findUser(ada)) ?? '';
  await deployment.storage.deleteUser({ userId, actor: 'operator', now: deployment.now() });
  for (const action of ['/export', '/delete', '/sign-out', '/link', '/unlink', '/apps/end']) {
    const response = await accountBrowser.post(action, { confirm: 'yes', choice: 'other', all: '1' }, form);
    expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
  }
  await expectFormRejected(
    await accountBrowser.post('/sign-in', { choice: 'nobody' }),
    deployment,
    'Choose one of the ways to sign in.',
  );
});
