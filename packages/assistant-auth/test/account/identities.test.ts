/** Linking and unlinking identities at the account page. */
import { describe, expect, it } from 'vitest';
import type { BrokerOptions, IdentityProvider } from '../../src/index.ts';
import {
  type AccountBrowser,
  createAccountBrowser,
  createSignedInBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
  readHiddenField,
  staleFormMessage,
} from '../account-browser.ts';
import { gptSignIn } from '../browser.ts';
import { gpt, obtainTokens, refresh } from '../clients.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import { accountDestination, expectFailurePage, expectInvalidToken } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const cat = { provider: 'other', subject: 'cat' } as const;
const ada = { provider: 'google', subject: 'ada' } as const;

/** Signs in as `cat` at the other provider, which leads to the page that asks for confirmation. */
const openLinkPage = async (
  accountBrowser: AccountBrowser,
  providerResponse: Readonly<Record<string, string>> = { code: 'cat' },
) => {
  const response = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, providerResponse);
  const html = await response.clone().text();
  return { response, html, link: readHiddenField(html, 'link'), form: readHiddenField(html, 'form') };
};

const confirm = async (accountBrowser: AccountBrowser) => {
  const { link, form } = await openLinkPage(accountBrowser);
  return accountBrowser.post('/link/confirm', { link, confirm: '1' }, form);
};

describe('linking an identity', () => {
  it('shows both accounts and asks, and stores nothing before the user confirms', async () => {
    const storage = createSpyStorage();
    const { deployment, accountBrowser } = await createSignedInBrowser(deploy({ storage }));
    const { response, html } = await openLinkPage(accountBrowser);
    expect(response.status).toBe(200);
    expect(html).toContain('ada@example.com');
    expect(html).toContain('cat@example.com');
    expect(html).toContain('Other');
    expect(storage.calls.slice(-2)).toEqual(['useSession', 'findUser']);
    expect(storage.calls).not.toContain('linkIdentity');
    expect([...accountBrowser.cookies.keys()].filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
    expect(await deployment.storage.findUser(cat)).toBeUndefined();
  });

  it('makes both identities open the same account', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { html } = await expectAccountRedirect(accountBrowser, await confirm(accountBrowser), 'linked');
    expect(html).toContain('cat@example.com');
    expect(readButtonValues(html, 'identity')).toHaveLength(2);
    const otherBrowser = createAccountBrowser(deployment);
    await otherBrowser.signInToAccount('cat', 'other');
    expect((await otherBrowser.openAccountPage()).html).toContain('ada@example.com');
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'linked', provider: 'other' }));
  });

  it('requires reauthentication at the other provider, too', async () => {
    const provider = createSpyProvider('other');
    const { deployment, accountBrowser } = await createSignedInBrowser(
      deploy({ providers: [createProvider('google', 'Google'), provider] }),
    );
    await accountBrowser.post('/link', { choice: 'other' });
    expect(provider.authorizationRequests).toEqual([
      expect.objectContaining({ reauthenticate: { since: deployment.now() } }),
    ]);
  });

  it('stores the provider’s refresh token, sealed', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { link, form, html } = await openLinkPage(accountBrowser, {
      code: 'cat',
      refresh: 'their-refresh-token',
    });
    expect(html).not.toContain('their-refresh-token');
    await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form);
    const leaseResult = await deployment.storage.acquireRecheckLease({
      ...cat,
      now: deployment.now(),
      recheckLeaseDuration: 60,
    });
    expect(leaseResult).toEqual({
      kind: 'acquired',
      lease: {
        ...cat,
        sealedRefreshToken: expect.any(String),
        subjectNamespace: 'https://other.example',
        isUnresolved: false,
        startedAt: deployment.now(),
      },
    });
  });

  it('can be canceled', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { link, form } = await openLinkPage(accountBrowser);
    for (const fields of [{ link, cancel: '1' }, { link, cancel: '1', confirm: '1' }, { link }])
      await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/link/confirm', fields, form),
        'link-canceled',
      );
    expect(await deployment.storage.findUser(cat)).toBeUndefined();
  });

  it('can be canceled at the provider', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    await expectAccountRedirect(
      accountBrowser,
      (await openLinkPage(accountBrowser, { error: 'access_denied' })).response,
      'link-canceled',
    );
  });

  it('says so if the identity is already linked to the user', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    await confirm(accountBrowser);
    await expectAccountRedirect(
      accountBrowser,
      (await openLinkPage(accountBrowser)).response,
      'already-linked',
    );
  });

  it('says so if the identity belongs to another account, and offers only a link back', async () => {
    const deployment = deploy();
    const owner = createAccountBrowser(deployment);
    await owner.signInToAccount('cat', 'other');
    const { accountBrowser } = await createSignedInBrowser(deployment);
    const { response, html } = await openLinkPage(accountBrowser);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(html).toContain('another account');
    expect(html).not.toContain('<form');
    expect(html).toContain('href="/account"');
    await expectOwner(deployment, owner);
  });

  it('does not link an identity that someone else has signed in with in the meantime', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { link, form } = await openLinkPage(accountBrowser);
    const owner = createAccountBrowser(deployment);
    await owner.signInToAccount('cat', 'other');
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form),
      'not-linked',
    );
    await expectOwner(deployment, owner);
  });

  const expectOwner = async (deployment: Deployment, owner: AccountBrowser) => {
    expect((await owner.openAccountPage()).html).not.toContain('ada@example.com');
    expect(await deployment.storage.findUser(cat)).not.toBe(await deployment.storage.findUser(ada));
  };

  it('follows resolveUser if it returns another user or refuses', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser(
      deploy({
        resolveUser: async ({ subject }) => {
          if (subject === 'dog') return { kind: 'refused', reason: 'no dogs' };
          return { kind: 'accepted', userId: subject === 'cat' ? 'their-9' : 'their-1' };
        },
      }),
    );
    expect((await openLinkPage(accountBrowser)).html).toContain('another account');
    const { response } = await openLinkPage(accountBrowser, { code: 'dog' });
    await expectFailurePage(
      response,
      deployment,
      'This account is not allowed to sign in here.',
      403,
      accountDestination,
    );
  });

  /** A publisher that already has a user for some subjects. */
  const mapUsers = (users: Readonly<Record<string, string>>): Partial<BrokerOptions> => ({
    resolveUser: async ({ subject }) => {
      const userId = users[subject];
      return { kind: 'accepted', ...(userId !== undefined && { userId }) };
    },
  });

  it.each([
    ['is known, and the other identity is not', { ada: 'emp-7' }],
    ['is not known, and the other identity is', { cat: 'emp-7' }],
  ])('is refused if the publisher knows only one of the two: the signed-in user %s', async (_, users) => {
    const { deployment, accountBrowser } = await createSignedInBrowser(deploy(mapUsers(users)));
    const { response, html } = await openLinkPage(accountBrowser);
    if ('ada' in users)
      await expectFailurePage(
        response,
        deployment,
        "This sign-in method can't be added to the account that you're signed in to.",
        403,
        accountDestination,
      );
    else expect(html).toContain('another account');
    expect(await deployment.storage.findUser(cat)).toBeUndefined();
  });

  it('links two identities that the publisher maps to the same user', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser(
      deploy(mapUsers({ ada: 'emp-7', cat: 'emp-7' })),
    );
    await expectAccountRedirect(accountBrowser, await confirm(accountBrowser), 'linked');
    expect(await deployment.storage.findUser(cat)).toBe('emp-7');
  });

  it('shows an error page if the provider returns an error', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { response } = await openLinkPage(accountBrowser, { error: 'invalid_scope' });
    await expectFailurePage(
      response,
      deployment,
      "We couldn't verify the response from the sign-in provider.",
      500,
      accountDestination,
    );
  });
});

describe('the notice about a newly linked identity', () => {
  const linkedText = /class="notice">\s*<p id="linked-\d">(.*?)<\/p>/g;

  const readNotices = async (accountBrowser: AccountBrowser): Promise<readonly string[]> => {
    const { html } = await accountBrowser.openAccountPage();
    return [...html.matchAll(linkedText)].map(([, text = '']) => text.replaceAll(/<[^>]*>/g, ''));
  };

  const readKeys = async (accountBrowser: AccountBrowser): Promise<readonly string[]> =>
    readButtonValues((await accountBrowser.openAccountPage()).html, 'linked');

  const catNotice =
    'Other (cat@example.com) was added as a sign-in method on Jan 15, 2027. If you didn’t add it, remove it, then choose “Sign out and disconnect everything”.';

  it('is shown in every session at every visit, until the user dismisses it in one of them', async () => {
    const storage = createSpyStorage();
    const { deployment, accountBrowser } = await createSignedInBrowser(deploy({ storage }));
    expect(await readNotices(accountBrowser)).toEqual([]);
    await confirm(accountBrowser);
    deployment.advance(1);
    const otherBrowser = await signInInOtherBrowser(deployment);
    deployment.advance(86_400);
    for (const browser of [accountBrowser, accountBrowser, otherBrowser])
      expect(await readNotices(browser)).toEqual([catNotice]);
    const [key = ''] = await readKeys(otherBrowser);
    const { html } = await expectAccountRedirect(
      otherBrowser,
      await otherBrowser.post('/linked/seen', { linked: key }),
      undefined,
    );
    expect(html).toContain('cat@example.com');
    for (const browser of [accountBrowser, otherBrowser]) expect(await readNotices(browser)).toEqual([]);
    expect(storage.calls.filter((name) => name === 'markLinkSeen')).toHaveLength(1);
    const later = await signInInOtherBrowser(deployment);
    expect(await readNotices(later)).toEqual([]);
  });

  it('is not shown for the identities of a first sign-in', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'ada');
    const { accountBrowser } = await createSignedInBrowser(deployment);
    await accountBrowser.signInToAccount('bob');
    expect(await readNotices(accountBrowser)).toEqual([]);
  });

  it('is part of the export until the user dismisses it', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    await confirm(accountBrowser);
    deployment.advance(1);
    await accountBrowser.reauthenticate();
    const readExported = async (): Promise<readonly unknown[]> =>
      Object(await (await accountBrowser.post('/export')).json()).identities;
    expect(await readExported()).toEqual([
      expect.not.objectContaining({ newlyLinked: true }),
      expect.objectContaining({ subject: 'cat', newlyLinked: true }),
    ]);
    const [key = ''] = await readKeys(accountBrowser);
    await accountBrowser.post('/linked/seen', { linked: key });
    expect(await readExported()).toEqual([
      expect.not.objectContaining({ newlyLinked: true }),
      expect.not.objectContaining({ newlyLinked: true }),
    ]);
  });

  it('needs no recent sign-in to be dismissed', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    await confirm(accountBrowser);
    deployment.advance(1);
    await accountBrowser.reauthenticate();
    const [key = ''] = await readKeys(accountBrowser);
    deployment.advance(301);
    await accountBrowser.post('/linked/seen', { linked: key });
    expect(await readNotices(accountBrowser)).toEqual([]);
  });

  it.each([['nobody'], [''], ['cat'], ['other cat']])(
    'is not dismissed by a key that does not exist: "%s"',
    async (linked) => {
      const { deployment, accountBrowser } = await createSignedInBrowser();
      await confirm(accountBrowser);
      await expectFormRejected(
        await accountBrowser.post('/linked/seen', { linked }),
        deployment,
        'This item is no longer in your account.',
      );
      expect(await readNotices(accountBrowser)).toEqual([catNotice]);
    },
  );
});

describe('unlinking an identity', () => {
  /** Signs in with Google, and links another identity. Returns the keys of both, in the order of the page. */
  const signInWithTwoIdentities = async (deployment: Deployment = deploy()) => {
    const { accountBrowser } = await createSignedInBrowser(deployment);
    await confirm(accountBrowser);
    const [currentKey = '', otherKey = ''] = readButtonValues(
      (await accountBrowser.openAccountPage()).html,
      'identity',
    );
    return { deployment, accountBrowser, currentKey, otherKey };
  };

  it('removes it, and keeps the apps that were connected through another identity', async () => {
    const { deployment, accountBrowser, otherKey } = await signInWithTwoIdentities();
    const { access_token } = await gptSignIn(deployment, 'ada');
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/unlink', { identity: otherKey }),
      'unlinked',
    );
    expect(html).not.toContain('cat@example.com');
    expect(await deployment.storage.findUser(cat)).toBeUndefined();
    expect((await accountBrowser.openAccountPage()).html).toContain('Words GPT');
    await expect(
      deployment.broker.protect(
        new Request(`${issuer}/api`, { headers: { authorization: `Bearer ${access_token}` } }),
      ),
    ).resolves.toMatchObject({ ok: true });
  });

  it('signs out sessions of that identity, and disconnects its apps', async () => {
    const { deployment, accountBrowser, currentKey } = await signInWithTwoIdentities();
    const { access_token, refresh_token } = await gptSignIn(deployment, 'ada');
    const response = await accountBrowser.post('/unlink', { identity: currentKey });
    expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, access_token);
    await accountBrowser.signInToAccount('cat', 'other');
    expect((await accountBrowser.openAccountPage()).html).not.toContain('ada@example.com');
  });

  it('distinguishes two identities of one provider: the session belongs to the one that started it', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const response = await accountBrowser.submitThroughProvider(
      '/link',
      { choice: 'google' },
      { code: 'bob' },
    );
    const linkPageHtml = await response.text();
    const [link, form] = [readHiddenField(linkPageHtml, 'link'), readHiddenField(linkPageHtml, 'form')];
    await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form);
    const { html } = await accountBrowser.openAccountPage();
    expect(html.match(/You’re signed in with this one/g)).toHaveLength(1);
    const [, bob = ''] = readButtonValues(html, 'identity');
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/unlink', { identity: bob }),
      'unlinked',
    );
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    expect(await deployment.storage.findUser({ ...ada, subject: 'bob' })).toBeUndefined();
  });

  it('refuses to remove the last one, and has no button for it', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { html } = await accountBrowser.openAccountPage();
    expect(readButtonValues(html, 'identity')).toEqual([]);
    const {
      accountBrowser: otherBrowser,
      otherKey,
      deployment: otherDeployment,
    } = await signInWithTwoIdentities();
    await otherBrowser.post('/unlink', { identity: otherKey });
    const remaining = (
      await otherDeployment.storage.readAccount((await otherDeployment.storage.findUser(ada)) ?? '')
    )?.identities;
    expect(remaining).toHaveLength(1);
    expect(await deployment.storage.findUser(ada)).toBeDefined();
  });

  it('refuses to remove the last one that can be used to sign in', async () => {
    const { deployment, accountBrowser, currentKey, otherKey } = await signInWithTwoIdentities();
    const { storage } = deployment;
    const browserWithoutProvider = createAccountBrowser(
      deploy({ storage, providers: [createProvider('google', 'Google')] }),
    );
    for (const [name, value] of accountBrowser.cookies) browserWithoutProvider.cookies.set(name, value);
    await expectAccountRedirect(
      browserWithoutProvider,
      await browserWithoutProvider.post('/unlink', { identity: currentKey }),
      'last-identity',
    );
    expect(await storage.findUser(ada)).toBeDefined();
    await expectAccountRedirect(
      browserWithoutProvider,
      await browserWithoutProvider.post('/unlink', { identity: otherKey }),
      'unlinked',
    );
    expect(await storage.findUser(cat)).toBeUndefined();
  });

  it.each([['nobody'], [''], ['ada'], ['google ada']])(
    'that does not exist changes nothing: "%s"',
    async (identity) => {
      const { deployment, accountBrowser } = await signInWithTwoIdentities();
      await expectFormRejected(
        await accountBrowser.post('/unlink', { identity }),
        deployment,
        'This item is no longer in your account.',
      );
      expect(await deployment.storage.findUser(cat)).toBeDefined();
    },
  );

  it('refuses an identity key from another session', async () => {
    const { deployment, otherKey } = await signInWithTwoIdentities();
    const otherSession = await createSignedInBrowser(deployment);
    expect((await otherSession.accountBrowser.post('/unlink', { identity: otherKey })).status).toBe(400);
    expect(await deployment.storage.findUser(cat)).toBeDefined();
  });

  it('revokes the token at the provider, and continues if that fails', async () => {
    const revoked: string[] = [];
    const createRevokingProvider = (shouldFail: boolean): IdentityProvider => ({
      ...createProvider('other', 'Other'),
      async revoke(token) {
        revoked.push(token);
        if (shouldFail) throw new Error('no route');
      },
    });
    for (const shouldFail of [false, true]) {
      const deployment = deploy({
        providers: [createProvider('google', 'Google'), createRevokingProvider(shouldFail)],
      });
      const { accountBrowser } = await createSignedInBrowser(deployment);
      const { link, form } = await openLinkPage(accountBrowser, {
        code: 'cat',
        refresh: 'their-refresh-token',
      });
      await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form);
      const [, key = ''] = readButtonValues((await accountBrowser.openAccountPage()).html, 'identity');
      await expectAccountRedirect(
        accountBrowser,
        await accountBrowser.post('/unlink', { identity: key }),
        'unlinked',
      );
      const failures = deployment.log.filter(({ event }) => event === 'revocation-failed');
      expect(failures.map(({ provider }) => provider)).toEqual(shouldFail ? ['other'] : []);
    }
    expect(revoked).toEqual(['their-refresh-token', 'their-refresh-token']);
  });
});

it('refuses changes without reauthentication, and says so', async () => {
  const { deployment, accountBrowser } = await createSignedInBrowser();
  await obtainTokens(deployment, gpt);
  await confirm(accountBrowser);
  const { html, form } = await accountBrowser.openAccountPage();
  const [key = ''] = readButtonValues(html, 'identity');
  const pending = await openLinkPage(await signInInOtherBrowser(deployment));
  deployment.advance(300);
  const rows = [
    ['/link', { choice: 'other' }],
    ['/link/confirm', { link: pending.link, confirm: '1' }],
    ['/unlink', { identity: key }],
    ['/export', {}],
    ['/delete', { confirm: 'yes' }],
  ] as const;
  for (const [action, fields] of rows) {
    const view = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post(action, fields, form),
      'confirmation-required',
    );
    expect(view.html).toContain('Confirm it’s you, then');
  }
  expect((await accountBrowser.openAccountPage()).html).toContain('cat@example.com');
});

/** Signs the same user in, in another browser. */
const signInInOtherBrowser = async (deployment: Deployment): Promise<AccountBrowser> => {
  const { accountBrowser } = await createSignedInBrowser(deployment);
  return accountBrowser;
};

it('refuses a confirmation that was opened before a reauthentication', async () => {
  const { deployment, accountBrowser } = await createSignedInBrowser();
  const { link, form } = await openLinkPage(accountBrowser);
  deployment.advance(299);
  await accountBrowser.reauthenticate();
  deployment.advance(1);
  // Reauthentication starts a new session.
  await expectFormRejected(
    await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form),
    deployment,
    staleFormMessage,
  );
  expect(await deployment.storage.findUser(cat)).toBeUndefined();
});
