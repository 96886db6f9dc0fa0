/** Branding and texts: which values are accepted. */
import { describe, expect, it } from 'vitest';
import { defaultAccountTexts } from '../../src/account/ui/texts.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import type { Branding } from '../../src/ui/branding.ts';
import { renderStylesheet } from '../../src/ui/stylesheet.ts';
import { defaultTexts, listEnglishTexts } from '../../src/ui/texts.ts';
import { parseBranding } from './models.ts';

const rejection = (options: unknown): unknown => {
  try {
    return parseBranding(JSON.parse(JSON.stringify(options)));
  } catch (error) {
    return error;
  }
};

const notAPath = [
  '',
  '?a',
  '#a',
  ':443/logo.svg',
  '@evil.example/logo.svg',
  '.evil.example/logo.svg',
  'logo.svg',
  './logo.svg',
  '/../logo.svg',
  '/a/%2e%2e/logo.svg',
  '//evil.example/logo.svg',
  '/\\evil.example/logo.svg',
  '\\\\evil.example',
  '/\t/evil.example',
  '\t//evil.example',
  ' /logo.svg',
  '/logo.svg\n',
  '/a b.svg',
  '/"onerror=alert(1).svg',
  '/<b>.svg',
  '/\u0000',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:image/svg+xml,<svg onload=alert(1)>',
  'blob:https://words.example/1',
  'https://evil.example/logo.svg',
  1,
  null,
  ['/logo.svg'],
];

const notALink = [
  ...notAPath.filter((value) => value !== 'https://evil.example/logo.svg'),
  'http://words.example/privacy',
  'https://user@words.example/privacy',
  'https://user:secret@words.example/privacy',
  'https://:secret@words.example/privacy',
  'https://words.example/a b',
  'https://words.example/"x',
  'HTTPS://words.example/privacy',
  'https:words.example/privacy',
  'https://',
  'vbscript:x',
  'file:///etc/passwd',
  'mailto:',
  'mailto:a@words.example?bcc=b@words.example',
  'mailto:a@words.example,b@words.example',
  'MAILTO:a@words.example',
];

const rejectionOfBranding = (branding: unknown): unknown => rejection({ branding });

const parse = (branding: Branding) => parseBranding({ branding });

describe('logo, icon and links', () => {
  it.each(notAPath)('L7.1 refuses a logo at %j', (logo) => {
    expect(rejectionOfBranding({ logo })).toEqual(
      new ConfigurationError('branding.logo', 'must be a path on the issuer’s origin, such as /logo.svg.'),
    );
  });

  it.each(notAPath)('L7.1 refuses a client’s icon at %j', (icon) => {
    expect(rejectionOfBranding({ clientIcons: { 'chatgpt.com': icon } })).toEqual(
      new ConfigurationError(
        'branding.clientIcons.chatgpt.com',
        'must be a path on the issuer’s origin, such as /logo.svg.',
      ),
    );
  });

  // No other client can be told apart from one on loopback, or from one with a private-use URI scheme.
  it.each([
    ...['', 'localhost', '127.0.0.1', '[::1]', 'localhost:8080', 'com.example.app:', 'https://chatgpt.com'],
    ...['ChatGPT.com', 'chatgpt.com/', 'user@chatgpt.com', 'chätgpt.com', ' chatgpt.com', 'chatgpt.com:80'],
  ])('L7.1 refuses a client’s icon for %j, which is not the host of a website', (host) => {
    expect(rejectionOfBranding({ clientIcons: { [host]: '/icon.svg' } })).toEqual(
      new ConfigurationError(
        `branding.clientIcons.${host}`,
        'must be the host of a website, such as chatgpt.com.',
      ),
    );
  });

  it('accepts the icon of a client for a host with a port, and for one in Punycode', () => {
    const clientIcons = {
      'chatgpt.com': '/a.svg',
      'app.example:8443': '/b.svg',
      'xn--chtgpt-bua.com': '/c.svg',
    };
    expect(parse({ clientIcons }).clientIcons).toEqual(new Map(Object.entries(clientIcons)));
  });

  it('accepts an email address for support only', () => {
    const link = 'mailto:help@words.example';
    expect(parse({ links: { support: link } }).links).toEqual({ support: link });
    for (const name of ['home', 'privacyPolicy', 'terms'])
      expect(rejectionOfBranding({ links: { [name]: link } })).toMatchObject({
        option: `branding.links.${name}`,
      });
  });

  it.each(notAPath)('refuses an icon at %j', (icon) => {
    expect(rejectionOfBranding({ icon })).toEqual(
      new ConfigurationError('branding.icon', 'must be a path on the issuer’s origin, such as /logo.svg.'),
    );
  });

  it.each(notALink)('refuses a link to %j', (url) => {
    for (const name of ['home', 'privacyPolicy', 'terms', 'support'])
      expect(rejectionOfBranding({ links: { [name]: url } })).toEqual(
        new ConfigurationError(
          `branding.links.${name}`,
          'must be a path on the issuer’s origin, an https URL without user information, or (only support) a mailto URL.',
        ),
      );
  });

  it.each(['/', '/privacy', '/privacy?v=2&lang=en#top', "/it's", 'https://words.example/privacy'])(
    'accepts a link to %j',
    (url) => {
      const links = { home: url, privacyPolicy: url, terms: url, support: url };
      expect(parse({ links }).links).toEqual(links);
    },
  );

  it('does not use links that change after they were checked', () => {
    const links: { home: string } = { home: '/' };
    const parsed = parse({ links });
    links.home = 'javascript:alert(1)';
    expect(parsed.links).toEqual({ home: '/' });
  });

  it('uses the logo as the icon if there is no other icon', () => {
    expect(parse({ logo: '/logo.svg' }).icon).toBe('/logo.svg');
    expect(parse({ logo: '/logo.svg', icon: '/icon.svg' }).icon).toBe('/icon.svg');
    expect(parse({}).icon).toBeUndefined();
  });
});

describe('colors', () => {
  it.each(['light', 'dark'])('must be written as #rrggbb (%s)', (scheme) => {
    for (const accent of [
      'red',
      '#fff',
      '#2f5d5',
      '#2f5d50ff',
      ' #2f5d50',
      '#2f5d50;}',
      'rgb(0 0 0)',
      7,
      null,
    ])
      expect(rejectionOfBranding({ colors: { [scheme]: { accent } } })).toEqual(
        new ConfigurationError(`branding.colors.${scheme}.accent`, 'must be a color such as #2f5d50.'),
      );
    expect(rejectionOfBranding({ colors: { [scheme]: {} } })).toHaveProperty(
      'option',
      `branding.colors.${scheme}.accent`,
    );
  });

  // The two grays on either side of the limit, calculated with another implementation of WCAG's formula:
  // 4.5428 and 4.4779 on the light page, 4.5054 and 4.4439 on the dark one.
  it.each([
    ['light', '#6f6f6f', '#707070', '4.49'],
    ['dark', '#838383', '#828282', '4.44'],
  ] as const)('must have enough contrast with the page (%s)', (scheme, enough, tooLittle, ratio) => {
    expect(parse({ colors: { [scheme]: { accent: enough } } }).colors).toEqual({
      [scheme]: { accent: enough },
    });
    expect(rejectionOfBranding({ colors: { [scheme]: { accent: tooLittle } } })).toEqual(
      new ConfigurationError(
        `branding.colors.${scheme}.accent`,
        `must have a contrast ratio of at least 4.5 with the page; ${tooLittle} has ${ratio}.`,
      ),
    );
  });

  it('change nothing if there are none', () => {
    expect(renderStylesheet('a {}\n', parse({}).colors)).toBe('a {}\n');
  });

  it('replace the accent color in their own color scheme, with readable text on it', () => {
    const { colors } = parse({ colors: { light: { accent: '#0B57D0' }, dark: { accent: '#a8c7fa' } } });
    expect(renderStylesheet('a {}\n', colors)).toBe(`a {}
@media (prefers-color-scheme: light) {
  :root { --accent: #0B57D0; --accent-ink: #ffffff; }
}
@media (prefers-color-scheme: dark) {
  :root { --accent: #a8c7fa; --accent-ink: #000000; }
}
`);
    expect(renderStylesheet('', parse({ colors: { dark: { accent: '#a8c7fa' } } }).colors)).not.toContain(
      'light',
    );
  });
});

describe('names and texts', () => {
  it('fills in defaults', () => {
    expect(parseBranding({})).toEqual({
      name: 'this service',
      logo: undefined,
      icon: undefined,
      clientIcons: new Map(),
      colors: {},
      links: {},
      language: 'en',
      direction: 'ltr',
      texts: listEnglishTexts(),
    });
    expect(listEnglishTexts()).toMatchObject(defaultTexts);
  });

  it('keeps all other texts when one is replaced', () => {
    expect(parseBranding({ texts: { cancel: 'No, thanks' } }).texts).toEqual({
      ...listEnglishTexts(),
      cancel: 'No, thanks',
    });
  });

  it('accepts a text that omits the product and repeats a placeholder', () => {
    const texts = { request: '{client}, please:', assurance: '{client}, {client}!' };
    expect(parseBranding({ texts }).texts).toMatchObject(texts);
  });

  it('has the texts of the account pages if the broker has these pages', () => {
    expect(parseBranding({}, defaultAccountTexts).texts).toEqual(listEnglishTexts(defaultAccountTexts));
    expect(parseBranding({ texts: { unlink: 'Delete' } }, defaultAccountTexts).texts).toEqual({
      ...listEnglishTexts(),
      ...defaultAccountTexts,
      unlink: 'Delete',
    });
  });

  const unknownText =
    'is not the name of a text. Some texts exist only with the option account or with mcpClients().';

  it.each([
    [{ branding: { name: ' ' } }, 'branding.name', 'must be a non-empty string.'],
    [{ branding: { name: 7 } }, 'branding.name', 'must be a non-empty string.'],
    [{ branding: { logoPath: '/a' } }, 'branding.logoPath', 'is not an option.'],
    [{ branding: { texts: {} } }, 'branding.texts', 'is not an option.'],
    [{ branding: { colors: { accent: '#000000' } } }, 'branding.colors.accent', 'is not an option.'],
    [
      { branding: { colors: { light: { accent: '#000000', ink: '#ffffff' } } } },
      'branding.colors.light.ink',
      'is not an option.',
    ],
    [{ branding: { links: { privacy: '/privacy' } } }, 'branding.links.privacy', 'is not an option.'],
    [{ texts: { goodbye: 'x' } }, 'texts.goodbye', unknownText],
    [{ texts: { constructor: 'x' } }, 'texts.constructor', unknownText],
    [{ texts: { unlink: 'Delete' } }, 'texts.unlink', unknownText],
    [{ texts: { identifiedBy: '{site}' } }, 'texts.identifiedBy', unknownText],
    [{ texts: { 'account.item-not-found': 'x' } }, 'texts.account.item-not-found', unknownText],
    [{ texts: { 'user.canceled': ' ' } }, 'texts.user.canceled', 'must be a non-empty string.'],
    [{ texts: { 'user.canceled': '{client}' } }, 'texts.user.canceled', 'must not contain {client}.'],
    [{ texts: { cancel: '' } }, 'texts.cancel', 'must be a non-empty string.'],
    [{ texts: { cancel: 7 } }, 'texts.cancel', 'must be a non-empty string.'],
    [{ texts: { request: 'Welcome to {product}' } }, 'texts.request', 'must contain {client}.'],
    [{ texts: { destination: 'Then you go back.' } }, 'texts.destination', 'must contain {host}.'],
    [{ texts: { signInWith: 'Go on' } }, 'texts.signInWith', 'must contain {provider}.'],
    [{ texts: { cancel: 'Back to {host}' } }, 'texts.cancel', 'must not contain {host}.'],
    [{ texts: { cancel: '{typo}' } }, 'texts.cancel', 'must not contain {typo}.'],
  ])('refuses %j', (options, option, problem) => {
    const error = rejection(options);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toEqual(new ConfigurationError(option, problem));
    expect(error).toHaveProperty('message', `${option} ${problem}`);
  });
});
