/**
 * Branding, language and texts: what a publisher can change about the pages without replacing them. Checks
 * the options, and fills in the defaults.
 */

import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { isLoopback } from '../oauth/resource.ts';
import { parseLocale } from './language.ts';
import { accentContrast, minContrast, type PageColors } from './stylesheet.ts';
import { type ParsedTexts, parseTexts, type Texts } from './texts.ts';

/** How the pages present the publisher. */
export interface Branding {
  /** The product's name, as users know it. Plain text. Default: the host of the issuer. */
  readonly name?: string;
  /**
   * Path of a logo on the issuer's origin, for example `/logo.svg`, shown as a square at the top of each
   * page. The pages load nothing from other origins. Default: no logo.
   */
  readonly logo?: string;
  /**
   * Path of the icon in the browser tab, on the issuer's origin. Default: the logo. Without a logo, browsers
   * request `/favicon.ico`.
   */
  readonly icon?: string;
  /**
   * Icons of clients, for the sign-in page and the account page: paths on the issuer's origin by the host that
   * the client's code is sent to, for example `{ 'chatgpt.com': '/icons/chatgpt.svg' }`. That host is verified,
   * unlike the name, so a client has the icon only if its code is sent there. A client that another host
   * identifies does not have it. Not for loopback addresses and URI schemes, which any app can use. Default:
   * the first letter of the client's name.
   */
  readonly clientIcons?: Readonly<Record<string, string>>;
  /** Replaces the accent color in the light or the dark color scheme. Default: green. */
  readonly colors?: BrandColors;
  /** Links in the footer of each page. Default: none. */
  readonly links?: BrandLinks;
}

/** The publisher's colors. The pages follow the color scheme of the user's system. */
export interface BrandColors {
  /** The colors in the light color scheme. Default: those of the default pages. */
  readonly light?: SchemeColors;
  /** The colors in the dark color scheme. Default: those of the default pages. */
  readonly dark?: SchemeColors;
}

/** The colors in one color scheme. */
export interface SchemeColors {
  /**
   * The color of the publisher's own buttons, list markers and focus outlines, as `#rrggbb`. Its contrast ratio
   * with the background of the page must be at least 4.5:1 (WCAG 2.2, 1.4.3). The text on buttons is black or
   * white, whichever has the higher contrast. The buttons of providers keep the colors that the providers'
   * guidelines require.
   */
  readonly accent: string;
}

/** Links to the publisher's pages. Each is a path on the issuer's origin or an https URL. */
export interface BrandLinks {
  /** The product's home page. The name at the top of a page and the button of an error page link to it. */
  readonly home?: string;
  /** The privacy policy. */
  readonly privacyPolicy?: string;
  /** The terms of service. */
  readonly terms?: string;
  /** Where users get help. It can also be an email address, as `mailto:help@words.example`. */
  readonly support?: string;
}

/** The options of `createBroker` that the pages are rendered from. */
export interface PageOptions {
  /**
   * Changes the name, the logo, the colors and the links of the pages. Default: the defaults of {@link
   * Branding}.
   */
  readonly branding?: Branding;
  /**
   * The language of the texts, as a BCP 47 tag, for example `de` or `pt-BR`. It sets the `lang` attribute,
   * the writing direction and the format of dates, and translates nothing: use `texts` for that. Default:
   * `en`.
   */
  readonly language?: string;
  /**
   * Replaces individual texts of the pages, for another tone or another language. Plain text; each must keep
   * the placeholders of the text that it replaces. Default: the English texts.
   */
  readonly texts?: Partial<Texts>;
}

/** Branding, language and texts as the pages get them: checked, with all defaults filled in. */
export interface ParsedBranding {
  /** The product's name. */
  readonly name: string;
  /** Path of the logo, or `undefined` if there is none. */
  readonly logo: string | undefined;
  /** Path of the icon in the browser tab, or `undefined` if there is none. */
  readonly icon: string | undefined;
  /** The paths of the clients' icons, by redirect host. */
  readonly clientIcons: ReadonlyMap<string, string>;
  /** The accent colors that replace those of the stylesheet. */
  readonly colors: BrandColors;
  /** Links to the publisher's pages. */
  readonly links: BrandLinks;
  /** The language of the texts, as a canonical BCP 47 tag. */
  readonly language: string;
  /** The writing direction of the language: `ltr` (left to right) or `rtl` (right to left). */
  readonly direction: 'ltr' | 'rtl';
  /** The texts. Those of the account pages and of `mcpClients` are present if the broker uses them. */
  readonly texts: ParsedTexts;
}

/**
 * Checks the options of the pages, and fills in the defaults.
 * @param optionalTexts the default texts of the opt-in parts that the broker uses
 * @throws ConfigurationError with the name of the option, for example `branding.logo`
 */
export const parseBranding = (
  { branding = {}, language = 'en', texts = {} }: PageOptions,
  optionalTexts?: Partial<Texts>,
): ParsedBranding => {
  const {
    name = 'this service',
    logo,
    icon = logo,
    clientIcons = {},
    colors = {},
    links = {},
    ...unknown
  } = branding;
  rejectUnknownOptions('branding.', unknown);
  return {
    name: parseName(name),
    logo: parseSameOriginPath('branding.logo', logo),
    icon: parseSameOriginPath('branding.icon', icon),
    clientIcons: parseClientIcons(clientIcons),
    colors: parseColors(colors),
    links: parseLinks(links),
    ...parseLanguage(language),
    texts: parseTexts(texts, optionalTexts),
  };
};

const parseClientIcons = (icons: Readonly<Record<string, string>>): ReadonlyMap<string, string> => {
  for (const [host, path] of Object.entries(icons)) {
    const option = `branding.clientIcons.${host}`;
    const url = URL.parse(`http://${host}`);
    if (url?.host !== host || isLoopback(url))
      throw new ConfigurationError(option, 'must be the host of a website, such as chatgpt.com.');
    parseSameOriginPath(option, path);
  }
  return new Map(Object.entries(icons));
};

const parseName = (name: unknown): string => {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw new ConfigurationError('branding.name', 'must be a non-empty string.');
};

/** The scripts that are written from right to left and used by a living language (ISO 15924). */
const rightToLeftScripts = ['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];

const parseLanguage = (tag: unknown): Pick<ParsedBranding, 'language' | 'direction'> => {
  const locale = typeof tag === 'string' ? parseLocale(tag) : undefined;
  if (locale === undefined)
    throw new ConfigurationError('language', 'must be a language tag, such as en or pt-BR.');
  const isRightToLeft = rightToLeftScripts.includes(locale.maximize().script ?? '');
  return { language: locale.toString(), direction: isRightToLeft ? 'rtl' : 'ltr' };
};

const parseColors = ({ light, dark, ...unknown }: BrandColors): BrandColors => {
  rejectUnknownOptions('branding.colors.', unknown);
  return {
    ...(light !== undefined && { light: parseSchemeColors('light', light) }),
    ...(dark !== undefined && { dark: parseSchemeColors('dark', dark) }),
  };
};

const parseSchemeColors = (scheme: keyof PageColors, colors: SchemeColors): SchemeColors => {
  const { accent, ...unknown } = colors;
  const option = `branding.colors.${scheme}.`;
  rejectUnknownOptions(option, unknown);
  if (typeof accent !== 'string' || !/^#[0-9a-f]{6}$/i.test(accent))
    throw new ConfigurationError(`${option}accent`, 'must be a color such as #2f5d50.');
  const contrast = accentContrast(accent, scheme);
  if (contrast >= minContrast) return { accent };
  // Rounded down, so that a ratio just below the minimum is not shown as the minimum.
  const ratio = Math.floor(contrast * 100) / 100;
  throw new ConfigurationError(
    `${option}accent`,
    `must have a contrast ratio of at least ${minContrast} with the page; ${accent} has ${ratio}.`,
  );
};

const parseLinks = (links: BrandLinks): BrandLinks => {
  const { home, privacyPolicy, terms, support, ...unknown } = links;
  rejectUnknownOptions('branding.links.', unknown);
  for (const [name, url] of Object.entries({ home, privacyPolicy, terms, support }))
    if (
      url !== undefined &&
      !isSameOriginPath(url) &&
      !isHttpsUrl(url) &&
      !(name === 'support' && mailtoUrl.test(url))
    )
      throw new ConfigurationError(
        `branding.links.${name}`,
        'must be a path on the issuer’s origin, an https URL without user information, or (only support) a mailto URL.',
      );
  return { ...links };
};

/**
 * Accepts a path on the issuer's origin, or `undefined`: the pages load nothing from other origins.
 * @throws ConfigurationError for anything else, such as `//other.example`, a scheme, `..` or an unescaped
 *   space
 */
const parseSameOriginPath = (option: string, value: unknown): string | undefined => {
  if (value === undefined || isSameOriginPath(value)) return value;
  throw new ConfigurationError(option, 'must be a path on the issuer’s origin, such as /logo.svg.');
};

// A value that equals its parsed form means the same to browsers, which skip tabs and turn \ into /.
const isSameOriginPath = (value: unknown): value is string =>
  typeof value === 'string' && URL.parse(value, baseOrigin)?.href === baseOrigin + value;

const baseOrigin = 'https://own.invalid';

const mailtoUrl = /^mailto:[\w.+-]+@[\w.-]+$/;

const isHttpsUrl = (value: unknown): value is string => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url?.protocol === 'https:' && url.href === value && url.username === '' && url.password === '';
};
