/** The account page, its sign-in page, and the page that confirms a link. */
import { describe, expect, it } from 'vitest';
import * as accountModel from '../../../src/account/ui/account-model.ts';
import * as accountSignInPage from '../../../src/account/ui/account-sign-in-page.ts';
import type { ClientIdentity } from '../../../src/ui/sign-in.ts';
import { fixedLanguage } from '../../ui/models.ts';
import { readAttributes, readLines } from '../../ui/read-markup.ts';
import {
  app,
  device,
  identity,
  otherDevice,
  otherIdentity,
  recentlyAuthenticated,
  renderAccount,
  renderAccountSignIn,
  renderLink,
  renderLinkConflict,
} from './models.ts';
import { accountNotices, accountSignInNotices } from './notices.ts';

describe('the account page', () => {
  const days = 'Connected Nov 3, 2026 · Last used Nov 20, 2026';

  describe('what the page shows', () => {
    it('shows apps and identities, and asks for reauthentication first', async () => {
      expect((await readLines(renderAccount())).slice(1)).toEqual([
        'Words With Chat',
        'Your Words With Chat account',
        'ada@words.example Signed in with Google',
        'Sign out',
        'Connected apps',
        'These apps can use Words With Chat for you until you disconnect them or their access expires.',
        'ChatGPT chatgpt.com',
        'It can:',
        'Read your score',
        'Add to your score',
        days,
        'Disconnect',
        'Confirm it’s you',
        'Sign in again before you change your sign-in methods, download your data, or delete your account. ' +
          'This protects your account if someone else uses this browser.',
        'Confirm with Google',
        'Sign-in methods',
        'This is your only sign-in method, so you can’t remove it. You can add others.',
        'Google ada@words.example',
        'Added May 28, 2026 · Last used Nov 20, 2026',
        'Confirm it’s you',
        'Signed-in devices',
        'These devices are signed in to this page. Connected apps don’t appear here.',
        'Chrome, macOS This device',
        'Signed in Nov 19, 2026 · Last used Nov 20, 2026',
        'Lost a device, or see something you don’t recognize? ' +
          'You can sign out all devices, including this one, and disconnect all apps.',
        'Sign out and disconnect everything',
        'Your data',
        'Download a file with everything that Words With Chat stores about you.',
        'Confirm it’s you',
        'Delete your account',
        'See what’s deleted, and delete your account',
        'All apps are disconnected.',
        'All sign-in methods are removed. Your accounts at the providers aren’t affected.',
        'Everything that Words With Chat stores about you is deleted.',
        'You can’t undo this.',
        'Confirm it’s you',
        'Privacy',
      ]);
    });

    it('offers every change after reauthentication', async () => {
      const lines = await readLines(renderAccount({ model: recentlyAuthenticated }));
      expect(lines).not.toContain('Confirm it’s you');
      expect(lines.slice(lines.indexOf('Sign-in methods'), lines.indexOf('Signed-in devices'))).toEqual([
        'Sign-in methods',
        'You can sign in with any of these. ' +
          'If you remove one, the apps that you connected with it will be disconnected.',
        'Google ada@words.example',
        'You’re signed in with this one. If you remove it, you’ll be signed out.',
        'Added May 28, 2026 · Last used Nov 20, 2026',
        'Remove',
        'GitHub ada',
        'Added Sep 21, 2026 · Last used Sep 21, 2026',
        'Remove',
        'Add a sign-in method',
        'Add Google',
        'Add GitHub',
      ]);
      expect(lines.slice(lines.indexOf('Your data'), -1)).toEqual([
        'Your data',
        'Download a file with everything that Words With Chat stores about you.',
        'Download your data',
        'Delete your account',
        'See what’s deleted, and delete your account',
        'All apps are disconnected.',
        'All sign-in methods are removed. Your accounts at the providers aren’t affected.',
        'Everything that Words With Chat stores about you is deleted.',
        'You can’t undo this.',
        ' Yes, permanently delete my account',
        'Delete my account',
      ]);
    });

    it('L7.1 shows the icon of an app only if its code is sent to the host of the icon, and no other host identifies it', async () => {
      const readIcons = async (changes: Partial<typeof app>) =>
        (await readAttributes(renderAccount({ model: { apps: [{ ...app, ...changes }] } }), 'img')).map(
          ({ src }) => src,
        );
      const identifiedBy = (host: string): ClientIdentity => ({ kind: 'metadata-document', host });
      for (const clientIdentity of [app.clientIdentity, identifiedBy('chatgpt.com')])
        expect(await readIcons({ clientIdentity })).toEqual(['/logo.svg', '/chatgpt.svg']);
      expect(await readIcons({ clientIdentity: identifiedBy('evil.example') })).toEqual(['/logo.svg']);
      expect(await readIcons({ redirectHost: 'evil.example' })).toEqual(['/logo.svg']);
    });

    it('lists other devices after this one, each with a button that signs it out', async () => {
      const { description: _, ...unknownDevice } = otherDevice;
      const devices = [device, otherDevice, { ...unknownDevice, key: 'third-key' }];
      const page = renderAccount({ model: { devices } });
      const lines = await readLines(page);
      expect(lines.slice(lines.indexOf('Chrome, macOS This device'), lines.indexOf('Your data') - 2)).toEqual(
        [
          'Chrome, macOS This device',
          'Signed in Nov 19, 2026 · Last used Nov 20, 2026',
          'Safari, iPhone',
          'Signed in Nov 17, 2026 · Last used Nov 18, 2026',
          'Sign out',
          'Unknown device',
          'Signed in Nov 17, 2026 · Last used Nov 18, 2026',
          'Sign out',
        ],
      );
      const buttons = (await readAttributes(page, 'button')).filter(({ name }) => name === 'device');
      expect(buttons).toEqual([
        {
          ...{ class: 'end', name: 'device', value: 'other-device-key', id: 'end-device-1' },
          'aria-labelledby': 'end-device-1 device-1',
        },
        {
          ...{ class: 'end', name: 'device', value: 'third-key', id: 'end-device-2' },
          'aria-labelledby': 'end-device-2 device-2',
        },
      ]);
    });

    it('shows the publisher’s facts as text, below who is signed in', async () => {
      const facts = [
        { label: 'Score', value: '12' },
        { label: '<b>Level', value: '"<i>3' },
      ];
      const profile = { identity: { provider: 'Google', label: 'ada@words.example' }, facts };
      expect((await readLines(renderAccount({ model: { profile } }))).slice(3, 8)).toEqual([
        'ada@words.example Signed in with Google',
        'Sign out',
        ...['Score 12', '<b>Level "<i>3'],
        'Connected apps',
      ]);
    });

    it('says at the top which identities were added, and when, until the user dismisses each notice', async () => {
      const identities = [
        identity,
        { ...otherIdentity, isNewlyLinked: true },
        { ...otherIdentity, key: 'third-key', label: 'bob', isNewlyLinked: true },
      ];
      const page = renderAccount({ model: { identities } });
      expect((await readLines(page)).slice(2, 8)).toEqual([
        'Your Words With Chat account',
        'GitHub (ada) was added as a sign-in method on Sep 21, 2026. If you didn’t add it, remove it, then choose “Sign out and disconnect everything”.',
        'Got it',
        'GitHub (bob) was added as a sign-in method on Sep 21, 2026. If you didn’t add it, remove it, then choose “Sign out and disconnect everything”.',
        'Got it',
        'ada@words.example Signed in with Google',
      ]);
      expect((await readAttributes(page, 'form')).slice(0, 3).map(({ action }) => action)).toEqual([
        ...['/account/linked/seen', '/account/linked/seen'],
        '/account/sign-out',
      ]);
      expect((await readAttributes(page, 'button')).slice(0, 2)).toEqual([
        { name: 'linked', value: 'other-key', 'aria-describedby': 'linked-0' },
        { name: 'linked', value: 'third-key', 'aria-describedby': 'linked-1' },
      ]);
    });

    it('says so if no app is connected', async () => {
      const lines = await readLines(renderAccount({ model: { apps: [] } }));
      expect(lines.slice(5, 8)).toEqual(['Connected apps', 'No apps are connected.', 'Confirm it’s you']);
    });

    it('says so if an app has no scope', async () => {
      const lines = await readLines(renderAccount({ model: { apps: [{ ...app, scopes: [] }] } }));
      expect(lines).toContain('It can only recognize you when you come back to Words With Chat.');
      expect(lines).not.toContain('It can:');
    });

    it('shows only the provider of an identity without a label', async () => {
      const { label: _, ...unnamed } = identity;
      const profile = { identity: { provider: 'Google' }, facts: [] };
      const lines = await readLines(renderAccount({ model: { identities: [unnamed], profile } }));
      expect(lines).toContain('Google Signed in with Google');
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
      [{ kind: 'registration' }, ['This app chose its own name, and we haven’t verified it.']],
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
      const page = renderAccount(fixedLanguage('de'));
      expect(await readLines(page)).toContain('Verbunden am 03.11.2026 · Zuletzt verwendet am 20.11.2026');
      expect((await readAttributes(page, 'time'))[0]).toEqual({ datetime: '2026-11-03' });
    });

    it('has no other notices than those below', () => {
      expect(accountModel.accountNotices).toEqual(accountNotices.map(([notice]) => notice));
      expect(accountSignInPage.accountSignInNotices).toEqual(accountSignInNotices.map(([notice]) => notice));
    });

    it.each(accountNotices)('shows the notice %s', async (notice, message) => {
      expect((await readLines(renderAccount({ model: { notice } })))[3]).toBe(message);
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
        { ...form, action: '/account/sign-in' },
        { ...form, action: '/account/devices/sign-out' },
        { ...form, action: '/account/apps/disconnect' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        ...[hiddenField, hiddenField, hiddenField],
        { type: 'hidden', name: 'purpose', value: 'confirm' },
        ...[hiddenField, hiddenField],
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
        { class: 'filled', name: 'choice', value: 'google' },
        { class: 'end', name: 'all', value: '1' },
      ]);
    });

    it('every change after reauthentication', async () => {
      const page = renderAccount({ model: { ...recentlyAuthenticated, apps: [] } });
      expect(await readAttributes(page, 'form')).toEqual([
        { ...form, action: '/account/sign-out' },
        { ...form, action: '/account/unlink' },
        { ...form, action: '/account/link' },
        { ...form, action: '/account/devices/sign-out' },
        { ...form, action: '/account/apps/disconnect' },
        { ...form, action: '/account/export' },
        { ...form, action: '/account/delete' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        ...[hiddenField, hiddenField, hiddenField, hiddenField, hiddenField, hiddenField, hiddenField],
        { type: 'checkbox', name: 'confirm', value: 'yes', required: '' },
      ]);
      const buildRemoveButton = (value: string, id: string) => ({
        ...{ class: 'end', name: 'identity', value, id: `end-${id}` },
        'aria-labelledby': `end-${id} ${id}`,
      });
      expect(await readAttributes(page, 'button')).toEqual([
        {},
        buildRemoveButton('identity-key', 'identity-0'),
        buildRemoveButton('other-key', 'identity-1'),
        { name: 'choice', value: 'google' },
        { name: 'choice', value: 'github' },
        { class: 'end', name: 'all', value: '1' },
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
      expect(await readLines(page)).not.toContain('Add a sign-in method');
    });
  });

  describe('screen readers', () => {
    it('find every section by its heading', async () => {
      const page = renderAccount();
      const headings = (await readAttributes(page, 'h2')).map(({ id }) => id);
      expect(headings).toEqual(['apps', 'confirm', 'identities', 'devices', 'export', 'delete']);
      const sections = await readAttributes(page, 'section');
      expect(sections.map((section) => section['aria-labelledby'])).toEqual(headings);
    });

    it('announce what a button disconnects or removes', async () => {
      const apps = [app, { ...app, key: 'b', redirectHost: 'elsewhere.example' }];
      const devices = [otherDevice, { ...otherDevice, key: 'b' }];
      const page = renderAccount({ model: { ...recentlyAuthenticated, apps, devices } });
      const headings = (await readAttributes(page, 'h3')).flatMap(({ id }) => id ?? []);
      expect(headings).toEqual(['app-0', 'app-1', 'identity-0', 'identity-1', 'device-0', 'device-1']);
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
      expect((await readLines(renderLink())).slice(2)).toEqual([
        'Add this sign-in method?',
        'You’re signed in with Google (ada@words.example)',
        'You’re about to add GitHub (ada)',
        'You can then also sign in to this Words With Chat account with GitHub (ada). Add it only if both accounts are yours.',
        'Add GitHub',
        'Cancel',
        'Privacy',
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
      expect((await readLines(renderLinkConflict())).slice(2)).toEqual([
        'Already in use by another account',
        'GitHub (ada) belongs to another Words With Chat account, so we couldn’t add it. Nothing has changed.',
        'To use the other account, sign out here and sign in with GitHub (ada).',
        'To move GitHub (ada) to this account:',
        'Sign out here and sign in with GitHub (ada).',
        'Remove it from that account. If it’s the only sign-in method there, delete that account and its data.',
        'Sign in to this account again and add it.',
        'Back to your account',
        'Privacy',
      ]);
    });

    it('has only a link back to the account page', async () => {
      const page = renderLinkConflict();
      expect(await readAttributes(page, 'form')).toEqual([]);
      expect(await readAttributes(page, 'button')).toEqual([]);
      expect((await readAttributes(page, 'a'))[0]).toEqual({ class: 'action', href: '/account' });
    });
  });
});

describe('the sign-in page of the account', () => {
  it('explains what the sign-in is for', async () => {
    expect(await readLines(renderAccountSignIn())).toEqual([
      'Your Words With Chat account',
      'Words With Chat',
      'Your Words With Chat account',
      'Sign in to see which apps use Words With Chat for you, and to manage your account.',
      'Sign in with Google',
      'Sign in with GitHub',
      'You sign in on the provider’s site. We never see your password.',
      'Privacy',
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
    expect((await readLines(renderAccountSignIn({ model: { notice } })))[3]).toBe(message);
  });
});
