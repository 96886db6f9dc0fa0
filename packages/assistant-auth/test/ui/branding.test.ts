/** Branding: which names, texts and URLs are accepted. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { parseBranding } from '../../src/ui/branding.ts';
import { defaultTexts } from '../../src/ui/texts.ts';

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
  'mailto:a@words.example',
];

describe('logo, icon and privacy policy', () => {
  it.each(notAPath)('L7.1 refuses a logo at %j', (logoPath) => {
    expect(rejection({ logoPath })).toEqual(
      new ConfigurationError(
        'branding.logoPath',
        'must be a path on the broker’s own origin, such as /logo.svg.',
      ),
    );
  });

  it.each(notAPath)('refuses an icon at %j', (iconPath) => {
    expect(rejection({ iconPath })).toEqual(
      new ConfigurationError(
        'branding.iconPath',
        'must be a path on the broker’s own origin, such as /logo.svg.',
      ),
    );
  });

  it.each(notALink)('refuses a privacy policy at %j', (privacyUrl) => {
    expect(rejection({ privacyUrl })).toEqual(
      new ConfigurationError(
        'branding.privacyUrl',
        'must be a path on the broker’s own origin or an https URL without user information.',
      ),
    );
  });

  it.each(['/', '/privacy', '/privacy?v=2&lang=en#top', "/it's", 'https://words.example/privacy'])(
    'accepts a privacy policy at %j',
    (privacyUrl) => {
      expect(parseBranding({ privacyUrl }).privacyUrl).toBe(privacyUrl);
    },
  );

  it('uses the logo as the icon if there is no other icon', () => {
    expect(parseBranding({ logoPath: '/logo.svg' }).iconPath).toBe('/logo.svg');
    expect(parseBranding({ logoPath: '/logo.svg', iconPath: '/icon.svg' }).iconPath).toBe('/icon.svg');
    expect(parseBranding({}).iconPath).toBeUndefined();
  });
});

describe('names and texts', () => {
  it('fills in defaults', () => {
    expect(parseBranding({})).toEqual({
      name: 'this service',
      logoPath: undefined,
      iconPath: undefined,
      privacyUrl: undefined,
      language: 'en',
      direction: 'ltr',
      texts: defaultTexts,
    });
  });

  it('keeps all other texts when one is replaced', () => {
    expect(parseBranding({ texts: { cancel: 'No, thanks' } }).texts).toEqual({
      ...defaultTexts,
      cancel: 'No, thanks',
    });
  });

  it('accepts a text that omits the product and repeats a placeholder', () => {
    const texts = { signIn: 'Sign in', assurance: '{client}, {client}!' };
    expect(parseBranding({ texts }).texts).toMatchObject(texts);
  });

  it.each([
    [{ name: ' ' }, 'branding.name', 'must be a non-empty string.'],
    [{ name: 7 }, 'branding.name', 'must be a non-empty string.'],
    [{ language: 'not a tag' }, 'branding.language', 'must be a language tag, such as en or pt-BR.'],
    [{ language: 'en"><b>' }, 'branding.language', 'must be a language tag, such as en or pt-BR.'],
    [{ language: 7 }, 'branding.language', 'must be a language tag, such as en or pt-BR.'],
    [{ language: [] }, 'branding.language', 'must be a language tag, such as en or pt-BR.'],
    [{ direction: 'up' }, 'branding.direction', 'must be ltr or rtl.'],
    [{ texts: { goodbye: 'x' } }, 'branding.texts.goodbye', 'is not the name of a text.'],
    [{ texts: { constructor: 'x' } }, 'branding.texts.constructor', 'is not the name of a text.'],
    [{ texts: { cancel: '' } }, 'branding.texts.cancel', 'must be a non-empty string.'],
    [{ texts: { cancel: 7 } }, 'branding.texts.cancel', 'must be a non-empty string.'],
    [{ texts: { request: 'Welcome to {product}' } }, 'branding.texts.request', 'must contain {client}.'],
    [{ texts: { destination: 'Then you go back.' } }, 'branding.texts.destination', 'must contain {host}.'],
    [{ texts: { continueWith: 'Go on' } }, 'branding.texts.continueWith', 'must contain {provider}.'],
    [{ texts: { cancel: 'Back to {host}' } }, 'branding.texts.cancel', 'must not contain {host}.'],
    [{ texts: { cancel: '{typo}' } }, 'branding.texts.cancel', 'must not contain {typo}.'],
  ])('refuses %j', (options, option, problem) => {
    const error = rejection(options);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toEqual(new ConfigurationError(option, problem));
    expect(error).toHaveProperty('message', `${option} ${problem}`);
  });

  it('normalizes the case of a language tag', () => {
    expect(parseBranding({ language: 'PT-br' }).language).toBe('pt-BR');
  });
});
