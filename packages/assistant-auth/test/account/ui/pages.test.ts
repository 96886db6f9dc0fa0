/** The account page, its sign-in page, and the page that confirms a link. */
import { describe, expect, it } from 'vitest';
import * as accountPage from '../../../src/account/ui/account-page.ts';
import * as accountSignInPage from '../../../src/account/ui/account-sign-in-page.ts';
import type { ClientIdentity } from '../../../src/ui/sign-in.ts';
import { readAttributes, readLines } from '../../ui/read-markup.ts';
import {
  app,
  identity,
  otherIdentity,
  recentlyAuthenticated,
  renderAccount,
  renderAccountSignIn,
  renderLink,
  renderLinkConflict,
} from './models.ts';
import { accountNotices, accountSignInNotices } from './notices.ts';

describe('the account page', () => {
  const days = ['Connected Nov 3, 2026', 'Last used Nov 20, 2026'];

  describe('what the page shows', () => {
    it('shows apps and identities, and asks for reauthentication first', async () => {
      expect((await readLines(renderAccount())).slice(1)).toEqual([
        'Your account at Words With Chat',
        'You are signed in with Google (ada@words.example).',
        'Sign out',
        'Connected apps',
        'These apps keep access to Words With Chat on your behalf until it expires, or until you disconnect them.',
        'ChatGPT chatgpt.com',
        'It can:',
        'Read your score',
        'Add to your score',
        ...days,
        'Disconnect',
        'Sign out everywhere',
        'Lost a device, or found something that is not yours? ' +
          'This disconnects every app and ends every sign-in, this one too. Your account stays.',
        'Disconnect everything and sign out everywhere',
        'First, confirm that it is you',
        'Before you change how you sign in, download your data or delete your account, please sign in once more. ' +
          'It keeps others out if you ever leave this page open.',
        'Confirm with Google',
        'Ways to sign in',
        'This opens your account. It is the only one, so it cannot be removed; you can add others.',
        'Google ada@words.example',
        'Added May 28, 2026',
        'Last used Nov 20, 2026',
        'First, confirm that it is you',
        'Your data',
        'Get a file with everything that Words With Chat stores about you.',
        'First, confirm that it is you',
        'Delete your account',
        'If you delete your account at Words With Chat:',
        'All apps are disconnected.',
        'All ways to sign in are removed. Your accounts at the providers stay as they are.',
        'Everything that Words With Chat stores about you is deleted.',
        'This cannot be undone.',
        'First, confirm that it is you',
        'Words With Chat Privacy policy',
      ]);
    });

    it('offers every change after reauthentication', async () => {
      const lines = await readLines(renderAccount({ model: recentlyAuthenticated }));
      expect(lines).not.toContain('First, confirm that it is you');
      expect(lines.slice(lines.indexOf('Ways to sign in'), -1)).toEqual([
        'Ways to sign in',
        'Each of these opens this account. You can add others, and remove those that you do not need. ' +
          'Removing one also disconnects the apps that were connected through it.',
        'Google ada@words.example',
        'You are signed in with this one, so removing it signs you out.',
        'Added May 28, 2026',
        'Last used Nov 20, 2026',
        'Remove',
        'GitHub ada',
        'Added Sep 21, 2026',
        'Last used Sep 21, 2026',
        'Remove',
        'Add another way to sign in',
        'Add Google',
        'Add GitHub',
        'Your data',
        'Get a file with everything that Words With Chat stores about you.',
        'Download your data',
        'Delete your account',
        'If you delete your account at Words With Chat:',
        'All apps are disconnected.',
        'All ways to sign in are removed. Your accounts at the providers stay as they are.',
        'Everything that Words With Chat stores about you is deleted.',
        'This cannot be undone.',
        ' Yes, delete my account for good',
        'Delete my account',
      ]);
    });

    it('says so if no app is connected', async () => {
      const lines = await readLines(renderAccount({ model: { apps: [] } }));
      expect(lines.slice(4, 7)).toEqual([
        'Connected apps',
        'No app is connected yet.',
        'Sign out everywhere',
      ]);
    });

    it('says so if an app has no scope', async () => {
      const lines = await readLines(renderAccount({ model: { apps: [{ ...app, scopes: [] }] } }));
      expect(lines).toContain('It can only recognize you when you come back to Words With Chat.');
      expect(lines).not.toContain('It can:');
    });

    it('does not show the identity of the sign-in if it is no longer linked', async () => {
      const lines = await readLines(renderAccount({ model: { identities: [otherIdentity] } }));
      expect(lines.slice(1, 3)).toEqual(['Your account at Words With Chat', 'Sign out']);
    });

    it('shows only the provider of an identity without a label', async () => {
      const { label: _, ...unnamed } = identity;
      const lines = await readLines(renderAccount({ model: { identities: [unnamed] } }));
      expect(lines).toContain('You are signed in with Google.');
      expect(lines).toContain('Google');
    });

    it('L7.1 shows the host of an app, whatever its name is', async () => {
      const imitation = { ...app, clientName: 'ChatGPT (chatgpt.com)', redirectHost: 'evil.example' };
      const lines = await readLines(renderAccount({ model: { apps: [imitation] } }));
      expect(lines).toContain('ChatGPT (chatgpt.com) evil.example');
    });

    it.each<[ClientIdentity, readonly string[]]>([
      [{ kind: 'configured' }, []],
      [{ kind: 'metadata-document', host: 'claude.ai' }, ['This app is identified by claude.ai.']],
      [{ kind: 'registration' }, ['The app chose this name itself, and we haven’t verified it.']],
    ])('L7.1 shows what is known about an app besides its name: %j', async (clientIdentity, facts) => {
      const claude = { ...app, clientName: 'Claude', clientIdentity, redirectHost: 'localhost:51234' };
      const lines = await readLines(renderAccount({ model: { apps: [claude] } }));
      expect(lines.slice(lines.indexOf('Claude localhost:51234'), lines.indexOf('Read your score'))).toEqual([
        'Claude localhost:51234',
        ...facts,
        'It can:',
      ]);
    });

    it('L7.1 removes what would reverse the host after the name of an app', async () => {
      const imitation = { ...app, clientName: 'x\u2069\u202eTPGtahC', redirectHost: 'evil.example' };
      const lines = await readLines(renderAccount({ model: { apps: [imitation] } }));
      expect(lines).toContain('xTPGtahC evil.example');
    });

    it('L7.2 shows markup in the name and the host of an app as text', async () => {
      const clientIdentity: ClientIdentity = { kind: 'metadata-document', host: '<b>.example' };
      const lines = await readLines(
        renderAccount({ model: { apps: [{ ...app, clientName: '<i>&amp;', clientIdentity }] } }),
      );
      expect(lines).toContain('<i>&amp; chatgpt.com');
      expect(lines).toContain('This app is identified by <b>.example.');
    });

    it('formats dates in the language of the page, in UTC', async () => {
      const page = renderAccount({ language: 'de' });
      expect(await readLines(page)).toContain('Connected 03.11.2026');
      expect((await readAttributes(page, 'time'))[0]).toEqual({ datetime: '2026-11-03' });
    });

    it('has no other notices than those below', () => {
      expect(accountPage.accountNotices).toEqual(accountNotices.map(([notice]) => notice));
      expect(accountSignInPage.accountSignInNotices).toEqual(accountSignInNotices.map(([notice]) => notice));
    });

    it.each(accountNotices)('shows the notice %s', async (notice, message) => {
      expect((await readLines(renderAccount({ model: { notice } })))[2]).toBe(message);
    });
  });

  describe('what the forms send', () => {
    const form = { method: 'post', autocomplete: 'off' };
    const hiddenField = { type: 'hidden', name: 'form', value: 'sealed-form' };

    it('only changes that need no reauthentication, if the user has not reauthenticated', async () => {
      const page = renderAccount();
      expect(await readAttributes(page, 'form')).toEqual([
        { ...form, action: '/account/sign-out' },
        { ...form, action: '/account/apps/disconnect' },
        { ...form, action: '/account/apps/disconnect' },
        { ...form, action: '/account/sign-in' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        ...[hiddenField, hiddenField, hiddenField, hiddenField],
        { type: 'hidden', name: 'purpose', value: 'confirm' },
      ]);
      expect(await readAttributes(page, 'button')).toEqual([
        {},
        {
          class: 'end',
          name: 'app',
          value: 'app-key',
          id: 'end-app-0',
          'aria-labelledby': 'end-app-0 app-0',
        },
        { class: 'end', name: 'all', value: '1' },
        { name: 'choice', value: 'google' },
      ]);
    });

    it('every change after reauthentication', async () => {
      const page = renderAccount({ model: { ...recentlyAuthenticated, apps: [] } });
      expect(await readAttributes(page, 'form')).toEqual([
        { ...form, action: '/account/sign-out' },
        { ...form, action: '/account/apps/disconnect' },
        { ...form, action: '/account/unlink' },
        { ...form, action: '/account/link' },
        { ...form, action: '/account/export' },
        { ...form, action: '/account/delete' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        ...[hiddenField, hiddenField, hiddenField, hiddenField, hiddenField, hiddenField],
        { type: 'checkbox', name: 'confirm', value: 'yes', required: '' },
      ]);
      const buildRemoveButton = (value: string, id: string) => ({
        ...{ class: 'end', name: 'identity', value, id: `end-${id}` },
        'aria-labelledby': `end-${id} ${id}`,
      });
      expect(await readAttributes(page, 'button')).toEqual([
        {},
        { class: 'end', name: 'all', value: '1' },
        buildRemoveButton('identity-key', 'identity-0'),
        buildRemoveButton('other-key', 'identity-1'),
        { name: 'choice', value: 'google' },
        { name: 'choice', value: 'github' },
        {},
        { class: 'end' },
      ]);
    });

    it('no removal of the only identity', async () => {
      const page = renderAccount({ model: { recentAuth: recentlyAuthenticated.recentAuth } });
      expect((await readAttributes(page, 'form')).map(({ action }) => action)).not.toContain(
        '/account/unlink',
      );
      expect((await readAttributes(page, 'button')).map(({ name }) => name)).not.toContain('identity');
    });

    it('no identity to add if there is no other provider', async () => {
      const page = renderAccount({ model: { ...recentlyAuthenticated, linkableProviders: [] } });
      expect((await readAttributes(page, 'form')).map(({ action }) => action)).not.toContain('/account/link');
      expect(await readLines(page)).not.toContain('Add another way to sign in');
    });
  });

  describe('screen readers', () => {
    it('find every section by its heading', async () => {
      const page = renderAccount();
      const headings = (await readAttributes(page, 'h2')).map(({ id }) => id);
      expect(headings).toEqual(['apps', 'everywhere', 'confirm', 'identities', 'export', 'delete']);
      const sections = await readAttributes(page, 'section');
      expect(sections.map((section) => section['aria-labelledby'])).toEqual(headings);
    });

    it('announce what a button disconnects or removes', async () => {
      const apps = [app, { ...app, key: 'b', redirectHost: 'elsewhere.example' }];
      const page = renderAccount({ model: { ...recentlyAuthenticated, apps } });
      const headings = (await readAttributes(page, 'h3')).flatMap(({ id }) => id ?? []);
      expect(headings).toEqual(['app-0', 'app-1', 'identity-0', 'identity-1']);
      const names = (await readAttributes(page, 'button')).flatMap(
        (button) => button['aria-labelledby'] ?? [],
      );
      expect(names).toEqual(headings.map((heading) => `end-${heading} ${heading}`));
    });
  });
});

describe('the page that confirms a link', () => {
  describe('the confirmation', () => {
    it('shows both identities and what adding one means', async () => {
      expect((await readLines(renderLink())).slice(1)).toEqual([
        'Add this way to sign in?',
        'You are signed in with',
        'Google (ada@words.example)',
        'You are about to add',
        'GitHub (ada)',
        'From then on, GitHub (ada) opens this account at Words With Chat, too. Continue only if both are yours.',
        'Add GitHub',
        'Cancel',
        'Words With Chat Privacy policy',
      ]);
    });

    it('posts the sealed link, with a button to confirm and one to cancel', async () => {
      const page = renderLink();
      expect(await readAttributes(page, 'form')).toEqual([
        { method: 'post', action: '/account/link/confirm', autocomplete: 'off' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        { type: 'hidden', name: 'form', value: 'sealed-form' },
        { type: 'hidden', name: 'link', value: 'sealed-link' },
      ]);
      expect(await readAttributes(page, 'button')).toEqual([
        { class: 'main', name: 'confirm', value: '1' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });
  });

  describe('an identity of another account', () => {
    it('is shown without any data of that account', async () => {
      expect((await readLines(renderLinkConflict())).slice(1)).toEqual([
        'Already in use by another account',
        'GitHub (ada) already belongs to another account at Words With Chat, so it was not added. Nothing has changed.',
        'Back to your account',
        'Words With Chat Privacy policy',
      ]);
    });

    it('has only a link back to the account page', async () => {
      const page = renderLinkConflict();
      expect(await readAttributes(page, 'form')).toEqual([]);
      expect(await readAttributes(page, 'button')).toEqual([]);
      expect((await readAttributes(page, 'a'))[0]).toEqual({ href: '/account' });
    });
  });
});

describe('the sign-in page of the account', () => {
  it('explains what the sign-in is for', async () => {
    expect(await readLines(renderAccountSignIn())).toEqual([
      'Your account at Words With Chat',
      'Your account at Words With Chat',
      'Sign in to see which apps use Words With Chat on your behalf, and to manage your account.',
      'Sign in with Google',
      'Sign in with GitHub',
      'You sign in on the provider’s own page, so Words With Chat never sees your password.',
      'Words With Chat Privacy policy',
    ]);
  });

  it('posts the sealed form and the provider', async () => {
    const page = renderAccountSignIn();
    expect(await readAttributes(page, 'form')).toEqual([
      { method: 'post', action: '/account/sign-in', autocomplete: 'off' },
    ]);
    expect(await readAttributes(page, 'input')).toEqual([
      { type: 'hidden', name: 'form', value: 'sealed-form' },
    ]);
    expect(await readAttributes(page, 'button')).toEqual([
      { name: 'choice', value: 'google' },
      { name: 'choice', value: 'github' },
    ]);
  });

  it.each(accountSignInNotices)('shows why no user is signed in: %s', async (notice, message) => {
    expect((await readLines(renderAccountSignIn({ model: { notice } })))[2]).toBe(message);
  });
});
