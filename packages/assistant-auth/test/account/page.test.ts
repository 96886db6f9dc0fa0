/** The account page over HTTP: connected apps, export and deletion. */
import { describe, expect, it } from 'vitest';
import type { AccountOptions } from '../../src/account/context.ts';
import { accountPages } from '../../src/account/index.ts';
import type { BrokerOptions } from '../../src/config.ts';
import { type Account, type CompleteStorage, StorageUnavailable } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
} from '../account-browser.ts';
import { createTestBrowser, gptRequest, gptSignIn } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy } from '../deployment.ts';
import { expectInvalidToken, expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildDocument,
  createWeb,
  deployWith,
  documentRequest,
  obtainTokensFor,
  register,
} from '../mcp-clients/web.ts';
import { readLines } from '../ui/read-markup.ts';

describe('texts', () => {
  const texts = { accountPurpose: 'Sign in to manage your account at {product}.' };

  it('of the account page can be replaced', async () => {
    const { html } = await createAccountBrowser(deploy({ texts })).openAccountPage();
    expect(html).toContain('Sign in to manage your account at <bdi translate="no">words.example</bdi>.');
  });

  it('of the account page are refused if there is none', () => {
    expect(() => deploy({ texts }, { hasAccountPage: false })).toThrow(
      'texts.accountPurpose is not the name of a text.',
    );
  });
});

describe('connected apps', () => {
  /** Signs in at the account page as `subject-1`, the user whom the test clients sign in by default. */
  const signInAsTestUser = async (deployment: Deployment): Promise<AccountBrowser> => {
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('subject-1');
    return accountBrowser;
  };

  const gptKey = 'gpt chat.openai.com';

  it('are shown once per client and host, with their scopes and last use', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, gpt);
    deployment.advance(86_400);
    const { refresh_token } = await obtainTokens(deployment, gpt);
    await obtainTokens(deployment, app);
    deployment.advance(86_400);
    await refresh(deployment, gpt, refresh_token);
    const { html } = await (await signInAsTestUser(deployment)).openAccountPage();
    expect(readButtonValues(html, 'app')).toEqual([gptKey, 'app app.example']);
    const [, appHtml = ''] = html.split('Words GPT');
    expect(appHtml).toContain('read the word lists');
    expect(
      [...appHtml.matchAll(/<time datetime="([^"]+)"/g)].slice(0, 2).map(([, datetime]) => datetime),
    ).toEqual([expect.stringContaining('2027-01-15'), expect.stringContaining('2027-01-17')]);
  });

  it('are those with a redeemed code, an active grant and valid tokens', async () => {
    const deployment = deploy();
    await createTestBrowser(deployment).signIn(gptRequest, 'subject-1');
    const onlineClient = { ...app, request: { ...app.request, scope: 'words' } };
    await obtainTokens(deployment, onlineClient);
    const accountBrowser = await signInAsTestUser(deployment);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([
      'app app.example',
    ]);
    deployment.advance(1800);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([]);
    expect((await accountBrowser.openAccountPage()).html).toContain('No apps are connected.');
  });

  it('exclude apps whose grant has expired', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, app);
    deployment.advance(30 * 86_400 - 1);
    expect(
      readButtonValues((await (await signInAsTestUser(deployment)).openAccountPage()).html, 'app'),
    ).toEqual(['app app.example']);
    deployment.advance(1);
    expect(
      readButtonValues((await (await signInAsTestUser(deployment)).openAccountPage()).html, 'app'),
    ).toEqual([]);
  });

  it('exclude the account page itself and apps of other users', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'somebody else');
    expect(
      readButtonValues((await (await signInAsTestUser(deployment)).openAccountPage()).html, 'app'),
    ).toEqual([]);
  });

  it('are named by client ID if they are no longer registered', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, server);
    const others = deploy({ storage: deployment.storage, clients: [] });
    const accountBrowser = createAccountBrowser(others);
    await accountBrowser.signInToAccount('subject-1');
    expect((await accountBrowser.openAccountPage()).html).toContain('>server<');
  });

  describe('of clients that are not in the configuration', () => {
    const id = 'https://claude.ai/oauth/claude-code-client-metadata';
    const redirectUris = ['http://localhost/callback', 'https://evil.example/callback'] as const;

    /** Signs the test user in to a client with a metadata document, and to one that registered itself. */
    const connectBoth = async (): Promise<Deployment> => {
      const web = createWeb();
      const document = { client_id: id, client_name: 'Claude Code', redirect_uris: [redirectUris[0]] };
      web.publish(id, buildDocument(document));
      const deployment = deployWith(web, { redirectUris: [redirectUris[1]] });
      for (const redirect_uri of ['http://localhost:51234/callback', 'http://localhost:61234/callback'])
        await obtainTokensFor(deployment, { ...documentRequest, client_id: id, redirect_uri });
      const metadata = { client_name: 'ChatGPT ✓', redirect_uris: [redirectUris[1]] };
      const response = await register(deployment, { ...metadata, token_endpoint_auth_method: 'none' });
      const { client_id }: { readonly client_id: string } = await response.json();
      await obtainTokensFor(deployment, { ...documentRequest, client_id, redirect_uri: redirectUris[1] });
      return deployment;
    };

    /** The lines of each app before its scopes. */
    const readApps = async (deployment: Deployment): Promise<readonly (readonly string[])[]> => {
      const { html } = await (await signInAsTestUser(deployment)).openAccountPage();
      const lines = await readLines(html);
      const ends = lines.flatMap((line, index) => (line === 'It can:' ? [index] : []));
      return ends
        .map((end) => lines.slice(end - 2, end))
        .toSorted(([left = ''], [right = '']) => (left < right ? -1 : 1));
    };

    const unverified = 'This app chose its own name, and we haven’t verified it.';
    const identified = 'This app is identified by claude.ai.';

    it('L7.1 show what is known about them besides the name', async () => {
      const apps = [
        ['ChatGPT ✓ evil.example', unverified],
        ['Claude Code localhost', identified],
      ];
      const deployment = await connectBoth();
      expect(await readApps(deployment)).toEqual(apps);
      // Even if the publisher no longer uses mcpClients.
      expect(await readApps(deploy({ storage: deployment.storage, clients: [] }))).toEqual(apps);
    });

    it('are named after the host of their ID, or its first characters, if no name is stored', async () => {
      const { storage } = await connectBoth();
      const readAccount = async (userId: string): Promise<Account | undefined> => {
        const account = await storage.readAccount(userId);
        return account && { ...account, grants: account.grants.map(({ clientName: _, ...grant }) => grant) };
      };
      const nameless: CompleteStorage = { ...storage, readAccount };
      const deployment = deploy({ storage: nameless, clients: [] });
      expect(await readApps(deployment)).toEqual([
        [expect.stringMatching(/^A[\w-]{19}… evil\.example$/), unverified],
        ['claude.ai localhost', identified],
      ]);
    });

    it('are exported with the name that they chose', async () => {
      const accountBrowser = await signInAsTestUser(await connectBoth());
      const { grants } = Object(await (await accountBrowser.post('/export')).json());
      expect(grants).toHaveLength(4);
      expect(grants).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ clientId: id, clientName: 'Claude Code' }),
          expect.objectContaining({ clientName: 'ChatGPT ✓' }),
          expect.not.objectContaining({ clientName: expect.anything() }),
        ]),
      );
    });
  });

  describe('disconnecting an app', () => {
    it('revokes all its grants, for refreshes and at the API, and no others', async () => {
      const deployment = deploy();
      const [first, second] = [await obtainTokens(deployment, gpt), await obtainTokens(deployment, gpt)];
      const serverTokens = await obtainTokens(deployment, server);
      const accountBrowser = await signInAsTestUser(deployment);
      const { html } = await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/apps/disconnect', { app: gptKey }),
        'app-disconnected',
      );
      expect(readButtonValues(html, 'app')).toEqual(['server server.example']);
      for (const { access_token, refresh_token } of [first, second]) {
        const response = await refresh(deployment, gpt, refresh_token);
        await expectTokenError(response, { ...invalidRefreshTokenError, status: 401 });
        await expectInvalidToken(deployment, access_token);
      }
      expect((await refresh(deployment, server, serverTokens.refresh_token)).status).toBe(200);
      expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'revoked', clientId: 'gpt' }));
    });

    it('revokes its unredeemed codes, and keeps those of other apps', async () => {
      const deployment = deploy();
      await obtainTokens(deployment, gpt);
      const codes = [await obtainCode(deployment, gpt), await obtainCode(deployment, server)] as const;
      const accountBrowser = await signInAsTestUser(deployment);
      await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/apps/disconnect', { app: gptKey }),
        'app-disconnected',
      );
      expect((await redeem(deployment, gpt, codes[0])).status).toBe(400);
      expect((await redeem(deployment, server, codes[1])).status).toBe(200);
      expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([
        'server server.example',
      ]);
    });

    it('that has only an unredeemed code changes nothing', async () => {
      const deployment = deploy();
      const code = await obtainCode(deployment, gpt);
      const accountBrowser = await signInAsTestUser(deployment);
      expect((await accountBrowser.post('/apps/disconnect', { app: gptKey })).status).toBe(400);
      expect((await redeem(deployment, gpt, code)).status).toBe(200);
    });

    it.each([['unknown nowhere'], [''], ['account words.example'], ['gpt evil.example']])(
      'that does not exist changes nothing: "%s"',
      async (key) => {
        const deployment = deploy();
        const { refresh_token } = await obtainTokens(deployment, gpt);
        const accountBrowser = await signInAsTestUser(deployment);
        const response = await accountBrowser.post('/apps/disconnect', { app: key });
        await expectFormRejected(response, deployment, 'This item is no longer in your account.');
        expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
      },
    );
  });

  it('signing out everywhere disconnects every app and ends every session, including this one', async () => {
    const deployment = deploy();
    const testClients: readonly TestClient[] = [gpt, app, server];
    const tokens = await Promise.all(testClients.map((testClient) => obtainTokens(deployment, testClient)));
    const otherBrowser = await signInAsTestUser(deployment);
    const accountBrowser = await signInAsTestUser(deployment);
    const response = await accountBrowser.post('/apps/disconnect', { all: '1' });
    const { kind, html } = await expectAccountRedirect(accountBrowser, response, 'signed-out-everywhere');
    expect(kind).toBe('sign-in');
    expect(html).toContain('signed out everywhere');
    expect((await otherBrowser.openAccountPage()).kind).toBe('sign-in');
    for (const [index, testClient] of testClients.entries()) {
      const response = await refresh(deployment, testClient, tokens[index]?.refresh_token ?? '');
      expect(response.status).toBe(testClient === gpt ? 401 : 400);
      await expectInvalidToken(deployment, tokens[index]?.access_token ?? '');
    }
    // The user still exists, and can start again.
    await accountBrowser.signInToAccount('subject-1');
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('a code that was not redeemed when its app was disconnected is refused', async () => {
    const deployment = deploy();
    const redirect = await createTestBrowser(deployment).signIn(gptRequest, 'subject-1');
    const accountBrowser = await signInAsTestUser(deployment);
    await accountBrowser.post('/apps/disconnect', { all: '1' });
    const response = await redeem(deployment, gpt, redirect.searchParams.get('code') ?? '');
    expect(response.status).toBe(400);
  });
});

describe('export and deletion', () => {
  const ada = { provider: 'google', subject: 'ada' } as const;

  const signInWithOptions = async (options: AccountOptions = {}, changes: Partial<BrokerOptions> = {}) => {
    const deployment = deploy({ account: accountPages(options), ...changes });
    const accountBrowser = createAccountBrowser(deployment);
    const tokens = await gptSignIn(deployment, 'ada');
    await accountBrowser.signInToAccount('ada', 'google', { refresh: 'their-refresh-token' });
    return { deployment, accountBrowser, tokens };
  };

  describe('exporting', () => {
    it('downloads a file with all stored data, including the publisher’s', async () => {
      const { deployment, accountBrowser } = await signInWithOptions({
        onExportUser: async () => ({ score: 7 }),
      });
      const response = await accountBrowser.post('/export');
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        'content-disposition': 'attachment; filename="my-data.json"',
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
      });
      const now = new Date(deployment.now() * 1000).toISOString();
      const grant = { provider: 'google', claims: {}, grantedAt: now, lastUsedAt: now };
      expect(await response.json()).toEqual({
        exportedAt: now,
        userId: await deployment.storage.findUser(ada),
        createdAt: now,
        identities: [
          { ...ada, label: 'ada@example.com', providerTokenStored: true, addedAt: now, lastSignInAt: now },
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

    it('calls onExportUser with this user, and omits its data if it returns none', async () => {
      const exportedUserIds: string[] = [];
      const { deployment, accountBrowser } = await signInWithOptions({
        onExportUser: async (id) => void exportedUserIds.push(id),
      });
      const file: object = await (await accountBrowser.post('/export')).json();
      expect(file).not.toHaveProperty('app');
      expect(exportedUserIds).toEqual([await deployment.storage.findUser(ada)]);
    });

    it('contains no token and no secret', async () => {
      const { accountBrowser, tokens } = await signInWithOptions();
      const text = await (await accountBrowser.post('/export')).text();
      for (const secret of ['their-refresh-token', tokens.access_token, tokens.refresh_token])
        expect(text).not.toContain(secret);
    });
  });

  describe('deleting the account', () => {
    it('revokes every grant, ends every session, and deletes the user', async () => {
      const { deployment, accountBrowser, tokens } = await signInWithOptions();
      const otherBrowser = createAccountBrowser(deployment);
      await otherBrowser.signInToAccount();
      const userId = (await deployment.storage.findUser(ada)) ?? '';
      const { kind, html } = await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/delete', { confirm: 'yes' }),
        'deleted',
      );
      expect(kind).toBe('sign-in');
      expect(html).toContain('Your account has been deleted.');
      expect(await deployment.storage.readAccount(userId)).toBeUndefined();
      expect(await deployment.storage.findUser(ada)).toBeUndefined();
      expect((await otherBrowser.openAccountPage()).kind).toBe('sign-in');
      expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
      await expectInvalidToken(deployment, tokens.access_token);
      expect(deployment.log).toContainEqual(
        expect.objectContaining({ event: 'deleted', endpoint: 'delete' }),
      );
    });

    it('requires the checkbox in addition to the button', async () => {
      const { deployment, accountBrowser } = await signInWithOptions();
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

    it('calls onDeleteUser first, and deletes nothing if that fails', async () => {
      const deleted: string[] = [];
      let shouldFail = true;
      const { deployment, accountBrowser } = await signInWithOptions({
        async onDeleteUser(userId) {
          deleted.push(userId);
          if (shouldFail) throw new Error('no route to the scores');
        },
      });
      const userId = await deployment.storage.findUser(ada);
      const response = await accountBrowser.post('/delete', { confirm: 'yes' });
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('no route');
      expect(await deployment.storage.findUser(ada)).toBe(userId);
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
      shouldFail = false;
      await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/delete', { confirm: 'yes' }),
        'deleted',
      );
      expect(deleted).toEqual([userId, userId]);
    });

    it('revokes the provider’s tokens, and completes even if the provider fails', async () => {
      const revoked: string[] = [];
      const google = {
        ...createProvider('google', 'Google'),
        async revoke(token: string) {
          revoked.push(token);
          throw new Error('503');
        },
      };
      const { deployment, accountBrowser } = await signInWithOptions({}, { providers: [google] });
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

    it('changes nothing while storage is unavailable, and can be retried', async () => {
      const memory = memoryStorage();
      let isUnavailable = true;
      const storage = {
        ...memory,
        deleteUser: (deletion: Parameters<typeof memory.deleteUser>[0]) =>
          isUnavailable ? Promise.reject(new StorageUnavailable('down')) : memory.deleteUser(deletion),
      };
      const { deployment, accountBrowser } = await signInWithOptions({}, { storage });
      const response = await accountBrowser.post('/delete', { confirm: 'yes' });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('10');
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
      isUnavailable = false;
      await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/delete', { confirm: 'yes' }),
        'deleted',
      );
      expect(await deployment.storage.findUser(ada)).toBeUndefined();
    });
  });

  it('signs out an account that is deleted while its page is open', async () => {
    const { deployment, accountBrowser } = await signInWithOptions();
    const { form } = await accountBrowser.openAccountPage();
    const userId = (await deployment.storage.findUser(ada)) ?? '';
    await deployment.storage.deleteUser({ userId, actor: 'operator', now: deployment.now() });
    for (const action of ['/export', '/delete', '/sign-out', '/link', '/unlink', '/apps/disconnect']) {
      const response = await accountBrowser.post(action, { confirm: 'yes', choice: 'other', all: '1' }, form);
      expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
    }
    await expectFormRejected(
      await accountBrowser.post('/sign-in', { choice: 'nobody' }),
      deployment,
      'Choose a sign-in method.',
    );
  });
});
