/** The sign-in, error and completion pages: layout, markup, texts and stylesheet. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountStylesheet } from '../../src/account/ui/stylesheet.ts';
import { defaultAccountTexts } from '../../src/account/ui/texts.ts';
import { defaultPages } from '../../src/context.ts';
import { defaultMcpClientTexts } from '../../src/mcp-clients/texts.ts';
import type { PageOptions } from '../../src/ui/branding.ts';
import { html, renderHtml } from '../../src/ui/layout.ts';
import type { ClientIdentity, SignInModel } from '../../src/ui/sign-in.ts';
import { stylesheet } from '../../src/ui/stylesheet.ts';
import { defaultTexts } from '../../src/ui/texts.ts';
import { accountFields, everyAccountNotice, everyAccountPage } from '../account/ui/fields.ts';
import { renderAccount, renderAccountSignIn, renderLink, renderLinkConflict } from '../account/ui/models.ts';
import {
  fixedLanguage,
  parseBranding,
  parsePageOptions,
  renderCompleted,
  renderError,
  renderSignIn,
} from './models.ts';
import { type MarkupToken, readAttributes, readLines, readMarkup } from './read-markup.ts';

describe('the sign-in page', () => {
  describe('what the page shows', () => {
    it('names the client, the scopes, the redirect host and what stays private', async () => {
      expect(await readLines(renderSignIn())).toEqual([
        'Sign in to continue to ChatGPT',
        '→',
        'Sign in to continue to ChatGPT',
        'ChatGPT wants access to your Words With Chat account. It will be able to:',
        'Read your score',
        'Add to your score',
        'keep access for up to a year, or until you disconnect Words With Chat in ChatGPT',
        'You’ll return to chatgpt.com. If you didn’t come from there, cancel.',
        'Sign in to allow this',
        'Sign in with Google',
        'Sign in with GitHub',
        'Cancel',
        'We never see your password, and ChatGPT doesn’t get your name or email address.',
        'Privacy',
      ]);
    });

    it('L7.1 shows the host of the redirect whatever the client calls itself', async () => {
      const lines = await readLines(
        renderSignIn({ model: { clientName: 'ChatGPT (chatgpt.com)', redirectHost: 'evil.example' } }),
      );
      expect(lines).toContain('You’ll return to evil.example. If you didn’t come from there, cancel.');
    });

    it('L7.1 keeps a name in another direction apart from the text around it', async () => {
      const clientName = 'מילים';
      const tokens = await readMarkup(renderSignIn({ model: { clientName } }));
      const body = tokens.slice(tokens.findIndex((token) => 'tag' in token && token.tag === 'body'));
      const occurrences = body.flatMap((token, tokenIndex) =>
        'text' in token && token.text.includes(clientName) ? [{ token, previous: body[tokenIndex - 1] }] : [],
      );
      // In the heading, the request, how long access lasts, and the assurance; not in the window title.
      expect(occurrences).toHaveLength(4);
      for (const { token, previous } of occurrences) {
        expect(token).toEqual({ text: clientName });
        expect(previous).toEqual({ tag: 'bdi', attributes: { translate: 'no' } });
      }
    });

    // A character that ends the isolation, and one that reverses what follows.
    it.each([
      ['an isolate that is closed', '\u2069'],
      ['a paragraph separator', '\u2029'],
      ['an information separator', '\x1c'],
      ['a next line character', '\x85'],
    ])('L7.1 removes what would reverse the text after a name: %s', async (_, character) => {
      const page = renderSignIn({ model: { clientName: `${character}\u202egro.elgoog` } });
      expect(await readLines(page)).toContain(
        'gro.elgoog wants access to your Words With Chat account. It will be able to:',
      );
      expect(page).not.toMatch(/[\p{Bidi_Control}\p{Zp}]/u);
    });

    it('L7.2 shows markup in a name as it was typed', async () => {
      const lines = await readLines(renderSignIn({ model: { clientName: '<b>Chat</b>&amp;' } }));
      expect(lines).toContain(
        '<b>Chat</b>&amp; wants access to your Words With Chat account. It will be able to:',
      );
    });

    it('does not fill placeholders inside a name', async () => {
      const lines = await readLines(renderSignIn({ model: { clientName: '{product}{host}' } }));
      expect(lines).toContain(
        '{product}{host} wants access to your Words With Chat account. It will be able to:',
      );
    });

    it('explains what the client can do if no scope is requested', async () => {
      const lines = await readLines(renderSignIn({ model: { scopes: [] } }));
      const list = lines.indexOf('recognize you when you come back');
      expect(lines.slice(list - 1, list + 2)).toEqual([
        'ChatGPT wants access to your Words With Chat account. It will be able to:',
        'recognize you when you come back',
        'keep access for up to a year, or until you disconnect Words With Chat in ChatGPT',
      ]);
    });

    it('uses the publisher’s texts', async () => {
      const texts = { cancel: 'Abbrechen', signInWith: 'Mit {provider} anmelden' };
      const lines = await readLines(renderSignIn({ texts }));
      expect(lines.slice(9, 12)).toEqual(['Mit Google anmelden', 'Mit GitHub anmelden', 'Abbrechen']);
    });
  });

  describe('how long access lasts', () => {
    const readAccess = async (changes: Parameters<typeof renderSignIn>[0]) =>
      (await readLines(renderSignIn(changes))).filter((line) =>
        / access for up to | lang zugreifen/.test(line),
      );
    const days = (count: number) => count * 86_400;

    it('says where to disconnect, with a link to the account page if there is one', async () => {
      const model = { accountPath: '/account' };
      expect(await readAccess({ model })).toEqual([
        'keep access for up to a year, or until you disconnect it in your account',
      ]);
      expect(await readAttributes(renderSignIn({ model }), 'a')).toEqual([
        { href: '/account' },
        { href: '/privacy', rel: 'noreferrer' },
      ]);
      expect(await readAccess({})).toEqual([
        'keep access for up to a year, or until you disconnect Words With Chat in ChatGPT',
      ]);
    });

    it('does not say that access without a refresh token can be ended', async () => {
      const model = { access: { kind: 'once', lifetime: 3600 }, accountPath: '/account' } as const;
      expect(await readAccess({ model })).toEqual(['keep access for up to 60 minutes']);
    });

    it.each([
      [600, '10 minutes'],
      [601, '11 minutes'],
      [5_400, '90 minutes'],
      [3_600, '60 minutes'],
      [7_200, '2 hours'],
      [days(1), '24 hours'],
      [days(1) + 1, '25 hours'],
      [days(7), '7 days'],
      [days(10) + 3_600, '11 days'],
      [days(30), '30 days'],
      [days(31), '31 days'],
      [days(60), '2 months'],
      [days(180), '6 months'],
      [days(360), '12 months'],
      [days(364), '13 months'],
      [days(365), 'a year'],
      [days(400), '14 months'],
    ])('formats %i seconds as %s', async (lifetime, duration) => {
      expect(await readAccess({ model: { access: { kind: 'once', lifetime } } })).toEqual([
        `keep access for up to ${duration}`,
      ]);
    });

    it('formats a duration in the language of the page', async () => {
      const inGerman = (lifetime: number) =>
        readAccess({ ...fixedLanguage('de'), model: { access: { kind: 'once', lifetime } } });
      expect(await inGerman(days(180))).toEqual(['bis zu 6 Monate lang zugreifen']);
      expect(await inGerman(days(365))).toEqual(['bis zu 12 Monate lang zugreifen']);
    });
  });

  describe('a client that is not in the configuration', () => {
    const identifiedBy = (host: string): ClientIdentity => ({ kind: 'metadata-document', host });
    const registration: ClientIdentity = { kind: 'registration' };

    /** The lines between the heading and the buttons, without the duration of the access. */
    const readFacts = async (model: Partial<SignInModel>): Promise<readonly string[]> => {
      const lines = await readLines(renderSignIn({ model: { scopes: [], ...model } }));
      return lines
        .slice(3, lines.indexOf('Sign in to allow this'))
        .filter((line) => !line.startsWith('keep access for up to '));
    };

    it('shows the host that identifies it before the request, if it has a metadata document', async () => {
      const lines = await readLines(renderSignIn({ model: { clientIdentity: identifiedBy('chatgpt.com') } }));
      expect(lines.slice(3, 9)).toEqual([
        'This app is identified by chatgpt.com.',
        'ChatGPT wants access to your Words With Chat account. It will be able to:',
        'Read your score',
        'Add to your score',
        'keep access for up to a year, or until you disconnect Words With Chat in ChatGPT',
        'You’ll return to chatgpt.com. If you didn’t come from there, cancel.',
      ]);
    });

    it('shows both hosts if the code is sent to another one than the one that identifies it', async () => {
      const model = { clientIdentity: identifiedBy('chatgpt.com'), redirectHost: 'auth.chatgpt.com' };
      expect(await readFacts(model)).toEqual([
        'This app is identified by chatgpt.com.',
        'ChatGPT wants access to your Words With Chat account. It will be able to:',
        'recognize you when you come back',
        'You’ll return to auth.chatgpt.com, not chatgpt.com. If you didn’t come from there, cancel.',
      ]);
    });

    const spoofedNames = [
      ['the name of another client', 'Claude'],
      ['a verified host', 'claude.ai ✓'],
      ['a host in parentheses', 'Claude (identified by claude.ai)'],
      [
        'the sentences of the page',
        'Claude asks to use it on your behalf. This app is identified by claude.ai.',
      ],
      ['a letter of another script', 'Сlaude'],
      ['invisible characters', 'Cl\u200Baude\u2060'],
      ['80 wide characters', 'W'.repeat(80)],
    ] as const;

    it.each(spoofedNames)(
      'L7.1 shows the host that identifies it below its name: %s',
      async (_, clientName) => {
        const model = {
          clientName,
          clientIdentity: identifiedBy('evil.example'),
          redirectHost: 'evil.example',
        };
        expect(await readFacts(model)).toEqual([
          'This app is identified by evil.example.',
          `${clientName} wants access to your Words With Chat account. It will be able to:`,
          'recognize you when you come back',
          'You’ll return to evil.example. If you didn’t come from there, cancel.',
        ]);
      },
    );

    it.each(spoofedNames)(
      'L7.1 says that it chose its name if it registered itself: %s',
      async (_, clientName) => {
        const model = { clientName, clientIdentity: registration, redirectHost: 'evil.example' };
        expect(await readFacts(model)).toEqual([
          `An app that calls itself ${clientName} wants access to your Words With Chat account. We haven’t verified its name. It will be able to:`,
          'recognize you when you come back',
          'You’ll return to evil.example. If you didn’t come from there, cancel.',
        ]);
      },
    );

    it('L7.1 cannot reverse the text after its name', async () => {
      const clientName = 'x\u2069\u202eia.edualc yb deifitnedi';
      const facts = await readFacts({ clientName, clientIdentity: registration });
      expect(facts[0]).toBe(
        'An app that calls itself xia.edualc yb deifitnedi wants access to your Words With Chat account. We haven’t verified its name. It will be able to:',
      );
    });

    it('L7.1 shows hosts in full and in ASCII, however long they are', async () => {
      const labels = `${'chatgpt-com.'.repeat(18)}xn--chtgpt-3ve`;
      const [site, redirectHost] = [`${labels}.evil.example`, `${labels}.elsewhere.example:8443`];
      const facts = await readFacts({ clientIdentity: identifiedBy(site), redirectHost });
      expect([facts[0], facts[3]]).toEqual([
        `This app is identified by ${site}.`,
        `You’ll return to ${redirectHost}, not ${site}. If you didn’t come from there, cancel.`,
      ]);
    });

    it('L7.1 shows no picture but the publisher’s, and no link of its own', async () => {
      const page = renderSignIn({ model: { clientIdentity: registration } });
      expect((await readAttributes(page, 'img')).map(({ src }) => src)).toEqual([
        '/logo.svg',
        '/chatgpt.svg',
      ]);
      expect((await readAttributes(page, 'a')).map(({ href }) => href)).toEqual(['/privacy']);
    });

    it('L7.1 does not show the icon of a host that its code is sent to if another host identifies it', async () => {
      const readIcons = async (host: string) =>
        (await readAttributes(renderSignIn({ model: { clientIdentity: identifiedBy(host) } }), 'img')).map(
          ({ src }) => src,
        );
      expect(await readIcons('chatgpt.com')).toEqual(['/logo.svg', '/chatgpt.svg']);
      for (const host of ['evil.example', 'chatgpt.com:8443', 'chatgpt.com.evil.example'])
        expect(await readIcons(host)).toEqual(['/logo.svg']);
    });

    it.each([
      ['✅ ChatGPT', 'C'],
      ['✔︎🛡️ 7 words', '7'],
      ['﷽', ''],
      ['éa', 'é'],
      ['"<b>', 'b'],
      ['&lt;', 'l'],
      ['\u202ea', 'a'],
    ])('L7.1 has the first letter of its name as its icon, and no symbol: %s', async (clientName, letter) => {
      const page = renderSignIn({
        model: { clientName, clientIdentity: registration, redirectHost: 'evil.example' },
      });
      expect(page).toContain(
        `<span class="logo" aria-hidden="true"><bdi translate="no">${letter}</bdi></span></div>`,
      );
    });

    it('L7.2 shows markup in its name and host as text', async () => {
      const [clientName, host] = ['<img src=x>&amp;', '<b>.example'];
      const facts = await readFacts({ clientName, clientIdentity: identifiedBy(host) });
      expect(facts.slice(0, 2)).toEqual([
        'This app is identified by <b>.example.',
        '<img src=x>&amp; wants access to your Words With Chat account. It will be able to:',
      ]);
    });
  });

  describe('a redirect to an app on the user’s device', () => {
    const clientIdentities: readonly (readonly [ClientIdentity, readonly string[]])[] = [
      [{ kind: 'configured' }, ['ChatGPT wants access to your Words With Chat account. It will be able to:']],
      [
        { kind: 'metadata-document', host: 'chatgpt.com' },
        [
          'This app is identified by chatgpt.com.',
          'ChatGPT wants access to your Words With Chat account. It will be able to:',
        ],
      ],
      [
        { kind: 'registration' },
        [
          'An app that calls itself ChatGPT wants access to your Words With Chat account. We haven’t verified its name. It will be able to:',
        ],
      ],
    ];

    it.each(clientIdentities)(
      'L7.3 warns that any app on the device could have started the sign-in: %j',
      async (clientIdentity, facts) => {
        for (const redirectHost of ['localhost:51234', 'com.example.app:']) {
          const page = renderSignIn({ model: { clientIdentity, redirectHost, redirectKind: 'device' } });
          const lines = await readLines(page);
          const start = lines.lastIndexOf('Sign in to continue to ChatGPT') + 1;
          expect(lines.slice(start, lines.indexOf('Sign in to allow this'))).toEqual([
            ...facts,
            'Read your score',
            'Add to your score',
            'keep access for up to a year, or until you disconnect Words With Chat in ChatGPT',
            'Did you just start this sign-in?',
            `An app on this device (${redirectHost}) will get access. Any app can call itself ChatGPT, ` +
              'so continue only if you just started this in an app you trust.',
          ]);
        }
      },
    );

    it('L7.3 puts the warning in a box with a heading, after the scopes and before the buttons', async () => {
      const tokens = await readMarkup(renderSignIn({ model: { redirectKind: 'device' } }));
      const structure = tokens.flatMap((token) => {
        if (!('tag' in token) || !['h1', 'h2', 'div', 'ul', 'form'].includes(token.tag)) return [];
        const { class: className = '' } = token.attributes;
        return [`${token.tag} ${className}`.trim()];
      });
      expect(structure).toEqual([
        'div brand',
        'h1',
        'ul list',
        ...['div warning', 'h2'],
        ...['form', 'ul providers'],
      ]);
    });
  });

  describe('someone who signed in before', () => {
    const session = { provider: 'Google', label: 'ada@words.example' };

    it('can continue with the first button, or sign in another way', async () => {
      const page = renderSignIn({ model: { session } });
      expect((await readLines(page)).slice(8, 14)).toEqual([
        'Sign in to allow this',
        'Continue as ada@words.example (Google)',
        'or sign in another way',
        'Sign in with Google',
        'Sign in with GitHub',
        'Cancel',
      ]);
      expect(await readAttributes(page, 'button')).toEqual([
        { class: 'main', name: 'choice', value: 'continue' },
        { name: 'choice', value: 'google' },
        { name: 'choice', value: 'github' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });

    it('sees no other filled button, because the icon and the text of one would have the wrong color', async () => {
      const providers = [{ id: 'github', displayName: 'GitHub', isLastUsed: true }];
      const page = renderSignIn({ model: { session, providers } });
      expect((await readAttributes(page, 'button')).map(({ class: className }) => className)).toEqual([
        'main',
        undefined,
        'cancel',
      ]);
      expect(await readLines(page)).toContain('Sign in with GitHubLast used');
    });

    it('is identified by the provider if there is no label', async () => {
      const lines = await readLines(renderSignIn({ model: { session: { provider: 'Google' } } }));
      expect(lines).toContain('Continue with your Google account');
    });

    it('consents to the same scopes', async () => {
      const readConsentLines = async (page: string) =>
        (await readLines(page)).filter((line) => !/^(Continue as|or sign in)/.test(line));
      expect(await readConsentLines(renderSignIn({ model: { session } }))).toEqual(
        await readConsentLines(renderSignIn()),
      );
    });

    it.each([
      ['session-ended', 'Your session has ended. Please sign in again.'],
      [
        'provider-not-confirmed',
        'We couldn’t confirm your earlier sign-in with the provider. Please sign in again.',
      ],
      ['sign-in-too-old', 'This app requires a more recent sign-in. Please sign in again.'],
    ] as const)('sees why they can’t continue: %s', async (notice, message) => {
      expect((await readLines(renderSignIn({ model: { notice } })))[3]).toBe(message);
    });
  });

  describe('what the form sends', () => {
    it('posts the sealed request as its only hidden field', async () => {
      const page = renderSignIn();
      expect(await readAttributes(page, 'form')).toEqual([
        { method: 'post', action: '/authorize', autocomplete: 'off' },
      ]);
      expect(await readAttributes(page, 'input')).toEqual([
        { type: 'hidden', name: 'consent', value: 'sealed-request' },
      ]);
    });

    it('has one button per provider in the given order, then Cancel', async () => {
      expect(await readAttributes(renderSignIn(), 'button')).toEqual([
        { name: 'choice', value: 'google' },
        { name: 'choice', value: 'github' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });

    it('asks for consent even if there is only one provider', async () => {
      const page = renderSignIn({ model: { providers: [{ id: 'google', displayName: 'Google' }] } });
      expect(await readAttributes(page, 'button')).toEqual([
        { class: 'filled', name: 'choice', value: 'google' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });

    it('fills the first button if the user last signed in with it, and says so', async () => {
      const providers = [
        { id: 'github', displayName: 'GitHub', isLastUsed: true },
        { id: 'google', displayName: 'Google' },
      ];
      const page = renderSignIn({ model: { providers } });
      expect(await readAttributes(page, 'button')).toEqual([
        { class: 'filled', name: 'choice', value: 'github' },
        { name: 'choice', value: 'google' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
      const lines = await readLines(page);
      expect(lines.slice(lines.indexOf('Sign in to allow this') + 1, -3)).toEqual([
        'Sign in with GitHubLast used',
        'Sign in with Google',
      ]);
    });

    it('shows the icons of the providers as decoration, and marks those of a single color', async () => {
      const providers = ['google', 'github', 'acme'].map((id) => ({
        ...{ id, displayName: id },
        ...(id !== 'acme' && { icon: { path: `/icons/${id}.svg`, isSingleColor: id === 'github' } }),
      }));
      const images = await readAttributes(renderSignIn({ model: { providers } }), 'img');
      expect(images.slice(2)).toEqual([
        { class: 'icon', src: '/icons/google.svg', alt: '', width: '20', height: '20' },
        { class: 'icon single-color', src: '/icons/github.svg', alt: '', width: '20', height: '20' },
      ]);
    });

    it('L7.1 shows the icon of a client only if its code is sent to the host of the icon', async () => {
      const readIcons = async (model: Partial<SignInModel>) =>
        (await readAttributes(renderSignIn({ model }), 'img')).map(({ src }) => src);
      expect(await readIcons({})).toEqual(['/logo.svg', '/chatgpt.svg']);
      for (const redirectHost of ['evil.example', 'chatgpt.com.evil.example', 'chatgpt.com:8443', 'toString'])
        expect(await readIcons({ redirectHost })).toEqual(['/logo.svg']);
    });

    it('distinguishes a provider with the ID cancel from the Cancel button', async () => {
      const page = renderSignIn({ model: { providers: [{ id: 'cancel', displayName: 'Cancel' }] } });
      expect(await readAttributes(page, 'button')).toEqual([
        { class: 'filled', name: 'choice', value: 'cancel' },
        { class: 'cancel', name: 'cancel', value: '1' },
      ]);
    });
  });
});

describe('the error page', () => {
  it('shows the problem, what to do and the reference', async () => {
    expect(await readLines(renderError())).toEqual([
      'We couldn’t sign you in',
      'Words With Chat',
      'We couldn’t sign you in',
      'ChatGPT asked to send you to an address that is not registered for it.',
      'Go back to the app that you came from and try again.',
      'If this keeps happening, contact Words With Chat and include this reference: q3T9bX0aLkE',
      'Privacy',
    ]);
  });

  it('links to where the user can start again, if the error ended a sign-in', async () => {
    const url = 'https://chatgpt.com/';
    const page = renderError({ model: { destination: { kind: 'client', name: 'ChatGPT', url } } });
    expect((await readLines(page)).slice(4, 6)).toEqual([
      'Return to ChatGPT',
      'If this keeps happening, contact Words With Chat and include this reference: q3T9bX0aLkE',
    ]);
    expect(await readAttributes(page, 'a')).toEqual([
      { class: 'action', href: url, rel: 'noreferrer' },
      { href: '/privacy', rel: 'noreferrer' },
    ]);
    const withoutLink = renderError({ model: { destination: { kind: 'client', name: 'An app' } } });
    expect(await readLines(withoutLink)).toContain('Go back to An app.');
  });

  it('has no button, and no link except the privacy policy', async () => {
    const page = renderError();
    expect(await readAttributes(page, 'form')).toEqual([]);
    expect(await readAttributes(page, 'button')).toEqual([]);
    expect(await readAttributes(page, 'a')).toEqual([{ href: '/privacy', rel: 'noreferrer' }]);
  });

  it('uses the publisher’s texts', async () => {
    const texts = { report: 'Write to {contact}:', reference: 'Ticket' };
    expect(await readLines(renderError({ texts }))).toContain('Write to Words With Chat: q3T9bX0aLkE');
    const refused = renderError({ texts, model: { identity: { provider: 'Google' } } });
    expect(await readLines(refused)).toContain('Ticket q3T9bX0aLkE');
  });

  it('has one button, to the home page of the product, if there is one', async () => {
    const page = renderError({ branding: { links: { home: '/home' } } });
    expect((await readLines(page)).slice(4, 6)).toEqual([
      'Go back to the app that you came from and try again.',
      'Go to Words With Chat',
    ]);
    expect(await readAttributes(page, 'a')).toEqual([
      { class: 'brand', href: '/home', rel: 'noreferrer' },
      { class: 'action', href: '/home', rel: 'noreferrer' },
    ]);
  });

  it.each([
    ['/help', 'Words With Chat'],
    ['mailto:help@words.example', 'help@words.example'],
  ])('links the product’s support: %s', async (support, contact) => {
    const page = renderError({ branding: { links: { support } } });
    expect(await readLines(page)).toContain(
      `If this keeps happening, contact ${contact} and include this reference: q3T9bX0aLkE`,
    );
    expect((await readAttributes(page, 'a')).map(({ href }) => href)).toEqual([support, support]);
  });
});

describe('the layout', () => {
  const pages = [
    { page: 'sign-in page', render: renderSignIn },
    { page: 'error page', render: renderError },
    { page: 'account page', render: renderAccount },
    { page: 'account sign-in page', render: renderAccountSignIn },
    { page: 'link page', render: renderLink },
    { page: 'link conflict page', render: renderLinkConflict },
  ] as const;

  const tags = (tokens: readonly MarkupToken[]) =>
    tokens.flatMap((token) => ('tag' in token ? [token.tag] : []));

  const attributes = (tokens: readonly MarkupToken[]) =>
    tokens.flatMap((token) => ('tag' in token ? Object.entries(token.attributes) : []));

  describe.each(pages)('$page', ({ render }) => {
    it('W1.3 has no script, no style and no event handler of its own', async () => {
      const tokens = await readMarkup(render());
      for (const forbidden of ['script', 'style', 'iframe', 'object', 'embed', 'base', 'template'])
        expect(tags(tokens)).not.toContain(forbidden);
      for (const [name] of attributes(tokens)) expect(name).not.toMatch(/^(on|style$|http-equiv$|srcdoc$)/);
    });

    it('loads nothing from another origin', async () => {
      const addresses = attributes(await readMarkup(render()))
        .filter(([name]) => ['href', 'src', 'action', 'formaction', 'srcset'].includes(name))
        .map(([, value]) => value);
      expect(addresses.length).toBeGreaterThanOrEqual(3);
      for (const address of addresses) expect(address).toMatch(/^(\/[^/\\]|#confirm$)/);
    });

    it('starts as a standards-mode document in UTF-8 that fits a phone', async () => {
      const page = render();
      expect(page).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">\n/);
      expect(await readAttributes(page, 'meta')).toContainEqual({
        name: 'viewport',
        content: 'width=device-width, initial-scale=1',
      });
      expect(await readAttributes(page, 'link')).toEqual([
        { rel: 'icon', href: '/favicon.svg' },
        { rel: 'stylesheet', href: '/sign-in.css' },
      ]);
    });

    it('has one main landmark and one level-1 heading', async () => {
      const tagNames = tags(await readMarkup(render()));
      expect(tagNames.filter((tag) => tag === 'main')).toHaveLength(1);
      expect(tagNames.filter((tag) => tag === 'h1')).toHaveLength(1);
      expect(tagNames.filter((tag) => tag === 'title')).toHaveLength(1);
    });

    it('shows the logo first, as decoration', async () => {
      expect((await readAttributes(render(), 'img'))[0]).toEqual({
        class: 'logo',
        src: '/logo.svg',
        alt: '',
        width: '40',
        height: '40',
      });
    });

    it('links the privacy policy without a Referer', async () => {
      const page = render({ branding: { links: { privacyPolicy: 'https://words.example/privacy' } } });
      expect((await readAttributes(page, 'a')).at(-1)).toEqual({
        href: 'https://words.example/privacy',
        rel: 'noreferrer',
      });
    });

    it('links the publisher’s pages in the footer, in one order', async () => {
      const links = { support: '/help', terms: '/terms', privacyPolicy: '/privacy', home: '/' };
      const page = render({ branding: { links } });
      const hrefs = (await readAttributes(page, 'a')).map(({ href }) => href);
      expect(hrefs.slice(-3)).toEqual(['/privacy', '/terms', '/help']);
      expect((await readLines(page)).slice(-3)).toEqual(['Privacy', 'Terms', 'Help']);
    });

    it('sets the language and direction of its texts', async () => {
      const page = render(fixedLanguage('he'));
      expect(await readAttributes(page, 'html')).toEqual([{ lang: 'he', dir: 'rtl' }]);
    });
  });

  describe('a notice', () => {
    it('is a status below the heading', async () => {
      const tokens = await readMarkup(renderSignIn({ model: { notice: 'session-ended' } }));
      const index = tokens.findIndex((token) => 'tag' in token && token.tag === 'p');
      expect(tokens.slice(index, index + 2)).toEqual([
        { tag: 'p', attributes: { class: 'notice', role: 'status', tabindex: '-1', autofocus: '' } },
        { text: 'Your session has ended. Please sign in again.' },
      ]);
      expect(tags(tokens.slice(0, index)).slice(-2)).toEqual(['h1', 'bdi']);
    });

    it.each(pages)('is absent from the $page if there is none', async ({ render }) => {
      expect(attributes(await readMarkup(render()))).not.toContainEqual(['role', 'status']);
    });
  });

  it('a page without logo, icon and privacy policy has no image and no links', async () => {
    const page = defaultPages.error({
      branding: parseBranding({}),
      title: 'Nothing is here',
      message: 'The address is wrong.',
      reference: 'q3T9bX0aLkE',
      stylesheetPath: '/sign-in.css',
    });
    expect(await readAttributes(page, 'img')).toEqual([]);
    expect(await readAttributes(page, 'a')).toEqual([]);
    expect(await readAttributes(page, 'link')).toEqual([{ rel: 'stylesheet', href: '/sign-in.css' }]);
    expect(await readLines(page)).toContain('this service');
  });
});

describe('the html template tag', () => {
  it('escapes text for content and for quoted attributes', () => {
    expect(renderHtml(html`<p title="${`<>&"'`}">${`<>&"'`}</p>`)).toBe(
      '<p title="&lt;&gt;&amp;&quot;&#39;">&lt;&gt;&amp;&quot;&#39;</p>',
    );
  });

  it('escapes text that looks escaped again', () => {
    expect(renderHtml(html`${'&lt;'}`)).toBe('&amp;lt;');
  });

  it('inserts its own markup unchanged, at any depth', () => {
    const item = (text: string) => html`<li>${text}</li>`;
    expect(renderHtml(html`<ul>${[item('a'), [item('<b>')]]}</ul>`)).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>',
    );
  });

  it('renders numbers, including zero', () => {
    expect(renderHtml(html`${0} ${-1.5}`)).toBe('0 -1.5');
  });

  it('renders nothing for undefined, false and an empty list', () => {
    expect(renderHtml(html`[${undefined}${false}${[]}]`)).toBe('[]');
  });

  it('does not accept markup from parsed input', () => {
    const fakeMarkup = JSON.parse('{"markup":"<b>","Symbol(markup)":"<b>"}');
    expect(() => html`${fakeMarkup}`).toThrow(TypeError);
  });

  it('keeps the markup around a value unchanged', () => {
    expect(renderHtml(html`<p>a &amp; b</p>\n${'c'}`)).toBe('<p>a &amp; b</p>\nc');
  });

  it('any text is read back unchanged', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    await fc.assert(
      fc.asyncProperty(text, text, async (attribute, content) => {
        expect(await readMarkup(renderHtml(html`<p title="${attribute}">${content}</p>`))).toEqual([
          { tag: 'p', attributes: { title: attribute } },
          { text: content },
        ]);
      }),
    );
  });
});

describe('markup in the fields of a page', () => {
  /** A field of a page: renders that page with the given value in it. */
  type Field = readonly [name: string, render: (value: string) => string];

  const everyLink = { home: '/', privacyPolicy: '/privacy', terms: '/terms', support: '/help' };

  const otherSite: ClientIdentity = { kind: 'metadata-document', host: 'other.example' };

  /** Every page except the account pages, one after the other, so that each of their texts is shown. */
  const everyPage = (options: PageOptions): string =>
    [
      renderSignIn({ ...options, model: { notice: 'session-ended' } }),
      renderSignIn({ ...options, model: { notice: 'provider-not-confirmed', scopes: [] } }),
      renderSignIn({ ...options, model: { notice: 'sign-in-too-old' } }),
      renderSignIn({ ...options, model: { session: { provider: 'Google', label: 'ada@words.example' } } }),
      renderSignIn({ ...options, model: { session: { provider: 'Google' } } }),
      renderSignIn({ ...options, model: { clientIdentity: { kind: 'registration' } } }),
      renderSignIn({ ...options, model: { clientIdentity: otherSite } }),
      renderSignIn({
        ...options,
        model: { providers: [{ id: 'google', displayName: 'Google', isLastUsed: true }] },
      }),
      renderSignIn({ ...options, model: { redirectKind: 'device', accountPath: '/account' } }),
      ...[3_600, 86_400].map((lifetime) =>
        renderSignIn({ ...options, model: { access: { kind: 'once', lifetime } } }),
      ),
      renderError(options),
      renderError({ ...options, model: { destination: { kind: 'client', name: 'ChatGPT' } } }),
      renderError({
        ...options,
        model: {
          title: parsePageOptions(options).texts.refused,
          identity: { provider: 'Google', label: 'ada@words.example' },
          link: { text: 'Join', href: 'https://words.example/join' },
          destination: { kind: 'client', name: 'ChatGPT', url: 'https://chatgpt.com/cb?error=access_denied' },
        },
      }),
      renderCompleted({ ...options, model: { outcome: 'consent-given', destination: { kind: 'unknown' } } }),
      ...(['signed-in', 'ended', 'linked', 'consent-given', 'consent-declined'] as const).flatMap(
        (outcome) => [
          renderCompleted({ ...options, model: { outcome } }),
          renderCompleted({
            ...options,
            model: { outcome, destination: { kind: 'account', url: '/account' } },
          }),
        ],
      ),
    ].join('');

  /** Models contain these texts as `title` or `message`, or as the description of a scope. */
  const modelTexts = [
    ...['notSignedIn', 'nothingChanged', 'failed', 'openAgain', 'tooManySignIns', 'providerUnavailable'],
    ...['cookiesRequired', 'refused', 'invalidRequest', 'offlineAccess'],
  ];

  const signInTexts = Object.entries(defaultTexts).filter(([name]) => !modelTexts.includes(name));

  /** The texts of these pages, with those that are only shown if there is an account page. */
  const pageTexts = [
    ...signInTexts,
    ...Object.entries(defaultMcpClientTexts),
    ...Object.entries(defaultAccountTexts).filter(([name, text]) =>
      everyPage({ texts: { [name]: `Zebra ${text}` } }).includes('Zebra'),
    ),
  ];

  const fields: readonly Field[] = [
    ['branding.name', (name) => everyPage({ branding: { name } }) + everyAccountPage({ branding: { name } })],
    ...pageTexts.map(
      ([name, text]): Field => [
        `texts.${name}`,
        (value) => everyPage({ branding: { links: everyLink }, texts: { [name]: value + text } }),
      ],
    ),
    ['clientName', (clientName) => renderSignIn({ model: { clientName } })],
    [
      'clientName of a registration',
      (clientName) => renderSignIn({ model: { clientName, clientIdentity: { kind: 'registration' } } }),
    ],
    [
      'clientName and redirectHost of an app on the device',
      (value) => renderSignIn({ model: { clientName: value, redirectHost: value, redirectKind: 'device' } }),
    ],
    [
      'host of a metadata document',
      (host) => renderSignIn({ model: { clientIdentity: { kind: 'metadata-document', host } } }),
    ],
    ['redirectHost', (redirectHost) => renderSignIn({ model: { redirectHost } })],
    ['scope description', (description) => renderSignIn({ model: { scopes: [{ name: 'a', description }] } })],
    ['provider id', (id) => renderSignIn({ model: { providers: [{ id, displayName: 'a' }] } })],
    [
      'provider icon path',
      (path) =>
        renderSignIn({
          model: { providers: [{ id: 'a', displayName: 'a', icon: { path, isSingleColor: true } }] },
        }),
    ],
    ['provider label', (label) => renderSignIn({ model: { providers: [{ id: 'a', displayName: label }] } })],
    ['action', (action) => renderSignIn({ model: { action } })],
    ['accountPath', (accountPath) => renderSignIn({ model: { accountPath } })],
    ['consent', (consent) => renderSignIn({ model: { consent } })],
    ['sign-in stylesheetPath', (stylesheetPath) => renderSignIn({ model: { stylesheetPath } })],
    ['session’s provider', (provider) => renderSignIn({ model: { session: { provider } } })],
    ['session’s label', (label) => renderSignIn({ model: { session: { provider: 'a', label } } })],
    ['refused identity’s provider', (provider) => renderError({ model: { identity: { provider } } })],
    [
      'refused identity’s label',
      (label) => renderError({ model: { identity: { provider: 'Google', label } } }),
    ],
    ['link text', (text) => renderError({ model: { link: { text, href: 'https://words.example/' } } })],
    ['link target', (href) => renderError({ model: { link: { text: 'Join', href } } })],
    [
      'completed client',
      (name) =>
        renderCompleted({ model: { destination: { kind: 'client', name, url: 'https://a.example/' } } }),
    ],
    [
      'completed client without a website',
      (name) => renderCompleted({ model: { destination: { kind: 'client', name } } }),
    ],
    [
      'completed client’s url',
      (url) => renderCompleted({ model: { destination: { kind: 'client', name: 'a', url } } }),
    ],
    [
      'account’s path on the completed page',
      (url) => renderCompleted({ model: { destination: { kind: 'account', url } } }),
    ],
    ['completed stylesheetPath', (stylesheetPath) => renderCompleted({ model: { stylesheetPath } })],
    ['title', (title) => renderError({ model: { title } })],
    ['message', (message) => renderError({ model: { message } })],
    ['reference', (reference) => renderError({ model: { reference } })],
    [
      'client and url on the error page',
      (value) => renderError({ model: { destination: { kind: 'client', name: value, url: value } } }),
    ],
    [
      'account’s path on the error page',
      (url) => renderError({ model: { destination: { kind: 'account', url } } }),
    ],
    ['error stylesheetPath', (stylesheetPath) => renderError({ model: { stylesheetPath } })],
    ...accountFields,
  ];

  const payloads = [
    '<script>alert(1)</script>',
    '</title><script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "'><a href='javascript:alert(1)'>",
    '" autofocus onfocus="alert(1)',
    "' autofocus onfocus='alert(1)",
    'x onmouseover=alert(1) style=color:red',
    '</fieldset></form><form action=https://evil.example>',
    '<!-- --!><base href=//evil.example>',
    ']]><![CDATA[<b>',
    '&lt;b&gt; &#60;b&#62; &amp;lt; &quot;',
    '\u0000<b\u0000>\u0000',
    '\r\n\t<b>\u2028</b>',
  ];

  const harmlessText = 'Zebra';

  /** How the page must be parsed: like the same page with a harmless value, with the value as text. */
  const expected = async (render: Field[1], value: string): Promise<readonly MarkupToken[]> => {
    const tokens: readonly MarkupToken[] = JSON.parse(await parseHarmlessPage(render), (_, item) =>
      typeof item === 'string' ? item.replaceAll(harmlessText, () => value) : item,
    );
    return tokens
      .map((token, index) =>
        'text' in token && (isName(tokens[index - 1]) || token.text.startsWith('Sign in to continue to '))
          ? { text: withoutControls(token.text) }
          : token,
      )
      .filter((token) => !('text' in token) || token.text !== '');
  };

  const isName = (previous: MarkupToken | undefined): boolean =>
    previous !== undefined && 'tag' in previous && previous.tag === 'bdi';

  /** Names are shown without these characters. */
  const withoutControls = (name: string): string => name.replaceAll(/[\p{Cc}\p{Zp}\p{Bidi_Control}]/gu, '');

  const parseHarmlessPage = async (render: Field[1]): Promise<string> => {
    const page = withoutInitial(render(harmlessText));
    const parsed = parsedPages.get(render) ?? JSON.stringify(await readMarkup(page));
    parsedPages.set(render, parsed);
    return parsed;
  };

  /** Without the first letter of a name, which is shown if a client has no icon. It has its own test. */
  const withoutInitial = (page: string): string =>
    page.replace(/(<span class="logo"[^>]*>).*?<\/span>/su, '$1');

  /** A cache: reading a page takes milliseconds. */
  const parsedPages = new Map<Field[1], string>();

  const cases = fields.flatMap(([field, render]) =>
    payloads.map((payload) => ({ field, payload: JSON.stringify(payload), render, value: payload })),
  );

  it.each(cases)('W1.1 is inert: $payload in $field', async ({ render, value }) => {
    expect(await readMarkup(withoutInitial(render(value)))).toEqual(await expected(render, value));
  });

  it.each(fields)('W1.1 any value is escaped in %s', async (_, render) => {
    expect(render(harmlessText)).toContain(harmlessText);
    await fc.assert(
      fc.asyncProperty(anyText, async (value) => {
        expect(await readMarkup(withoutInitial(render(value)))).toEqual(await expected(render, value));
      }),
      { numRuns: 20 },
    );
  });

  // Braces mark placeholders in replaced texts and are refused there. See branding.test.ts.
  const anyText = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('<', '>', '"', "'", '&', '/', '=', '`', '<!--', '</title>', '&lt', ';', ' on', 'x'),
      ),
      { minLength: 1 },
    )
    .map((parts) => parts.join('').replaceAll(/[{}]/g, ''))
    .filter((text) => text.trim() !== '');

  it.each([...signInTexts, ...Object.entries(defaultMcpClientTexts)])(
    'the text %s appears on a page',
    (name, text) => {
      const options = { branding: { links: everyLink }, texts: { [name]: harmlessText + text } };
      expect(everyPage(options)).toContain(harmlessText);
    },
  );

  it.each(Object.entries(defaultAccountTexts))(
    'the text %s appears on a page if there is an account page',
    (name, text) => {
      const options = { texts: { [name]: harmlessText + text } };
      expect(everyPage(options) + everyAccountPage(options) + everyAccountNotice(options)).toContain(
        harmlessText,
      );
    },
  );
});

describe('the stylesheet', () => {
  /** WCAG 2.2 relative luminance of `#rrggbb`. */
  const luminance = (color: string): number => {
    const channel = (start: number): number => {
      const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  };

  const contrast = (one: string, other: string): number => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  /** Returns the value of a custom property in both color schemes, from `light-dark()`. */
  const readColors = (css: string, name: string): readonly [light: string, dark: string] => {
    const [, light = '', dark = ''] =
      new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css) ?? [];
    return [light, dark];
  };
  const filled = /\.filled \{[^}]*/.exec(stylesheet)?.[0] ?? '';

  describe.each([
    ['light', 0],
    ['dark', 1],
  ] as const)('%s scheme', (_, scheme) => {
    it.each([
      ...['ink', 'muted', 'accent', 'danger'].flatMap((text) => [
        [text, 'page', stylesheet] as const,
        [text, 'card', stylesheet] as const,
      ]),
      ['accent-ink', 'accent', stylesheet],
      ['button-ink', 'button', stylesheet],
      ['button-ink', 'button', filled],
    ] as const)('%s on %s has a contrast of at least 4.5', (text, background, css) => {
      expect(
        contrast(readColors(css, text)[scheme], readColors(css, background)[scheme]),
      ).toBeGreaterThanOrEqual(4.5);
    });

    it('gives the buttons of providers the colors of Google’s guidelines, filled those of the other scheme', () => {
      const [button, ink] = [readColors(stylesheet, 'button'), readColors(stylesheet, 'button-ink')];
      expect([button, ink]).toEqual([
        ['#ffffff', '#131314'],
        ['#1f1f1f', '#e3e3e3'],
      ]);
      expect(readColors(stylesheet, 'button-line')).toEqual(['#747775', '#8e918f']);
      expect(readColors(filled, 'button')).toEqual(button.toReversed());
      expect(readColors(filled, 'button-ink')).toEqual(ink.toReversed());
    });
  });

  it('marks destructive buttons by more than their color', () => {
    expect(accountStylesheet).toContain(String.raw`.end::before { content: "\d7" / ""; }`);
  });

  it('loads nothing', () => {
    expect(accountStylesheet + stylesheet).not.toMatch(/url\(|@import|@font-face|image-set/i);
  });
});
