/**
 * Branding, languages and texts: what a publisher can change about the pages without replacing them. Checks the
 * options, and fills in the defaults. The languages check themselves (`languages/index.ts`).
 */

import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { isLoopback } from '../oauth/resource.ts';
import { offlineAccessScope, type ScopeDescriptions } from '../oauth/scope.ts';
import { accentContrast, minContrast, type PageColors } from './stylesheet.ts';
import { listEnglishTexts, type ParsedTexts, parseReplacements, type Texts } from './texts.ts';

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
  /**
   * The product's home page. The name at the top of a page and the button of an error page link to it.
   * Default: no link.
   */
  readonly home?: string;
  /** The privacy policy. Default: no link. */
  readonly privacyPolicy?: string;
  /** The terms of service. Default: no link. */
  readonly terms?: string;
  /**
   * Where users get help. It can also be an email address, as `mailto:help@words.example`. Default: no link.
   */
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
   * The languages of the pages, created by `pageLanguages` of `assistant-auth/languages`. Default: English.
   */
  readonly languages?: PageLanguages;
  /**
   * Replaces individual English texts of the pages, for example to change the tone. Plain text; each must keep the
   * placeholders of the text that it replaces. To replace German texts, see `german` of
   * `assistant-auth/languages`. Default: the English texts.
   */
  readonly texts?: Partial<Texts>;
}

/** The languages of the pages. `pageLanguages()` creates it. */
export interface PageLanguages {
  /** Always `page-languages`. */
  readonly kind: 'page-languages';
  /**
   * Checks the languages.
   * @param english the branding in English
   * @param originals the English texts without replacements
   * @throws ConfigurationError `languages…`
   * @internal
   */
  readonly connect: (english: ParsedBranding, originals: ParsedTexts) => ConnectedLanguages;
}

/** The branding in each language of the pages. */
export interface ConnectedLanguages<Branded extends ParsedBranding = ParsedBranding> {
  /** The languages of the pages, as BCP 47 tags. */
  readonly tags: readonly string[];
  /** Returns the branding for a request: in the fixed language, otherwise in the one that the request prefers. */
  readonly select: (request: Request) => Branded;
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
  /** The language of the texts, as a BCP 47 tag. */
  readonly language: string;
  /** The writing direction of the language: `ltr` (left to right) or `rtl` (right to left). */
  readonly direction: 'ltr' | 'rtl';
  /** The texts. Those of the account pages and of `mcpClients` are present if the broker uses them. */
  readonly texts: ParsedTexts;
}

/** The branding in each language of the pages, and what is the same in all of them. */
export interface LocalizedBranding<Branded extends ParsedBranding = ParsedBranding>
  extends ConnectedLanguages<Branded> {
  /** The accent colors. */
  readonly colors: BrandColors;
}

/**
 * Checks the options of the pages, and fills in the defaults.
 * @param optionalTexts the English texts of the opt-in parts that the broker uses
 * @throws ConfigurationError with the name of the option, for example `branding.logo`
 */
export const parseLocalizedBranding = (
  { branding = {}, languages, texts = {} }: PageOptions,
  optionalTexts?: Partial<Texts>,
): LocalizedBranding => {
  // `?.`, because a JavaScript caller can pass null.
  if (languages !== undefined && languages?.kind !== 'page-languages')
    throw new ConfigurationError('languages', 'must be created by pageLanguages.');
  const parsed = parseBranding(branding);
  const originals = listEnglishTexts(optionalTexts);
  const english: ParsedBranding = {
    ...parsed,
    language: 'en',
    direction: 'ltr',
    texts: { ...originals, ...parseReplacements(texts, originals) },
  };
  const { tags, select } = languages?.connect(english, originals) ?? { tags: ['en'], select: () => english };
  return { tags, select, colors: parsed.colors };
};

/**
 * Returns the description of a scope in the language of a page. Default for `offline_access`: the text
 * `offlineAccess`. Returns the name of a scope that no longer exists.
 */
export const describeScope = (
  scopes: ScopeDescriptions,
  name: string,
  { language, texts }: Pick<ParsedBranding, 'language' | 'texts'>,
): string => scopes.get(name)?.[language] ?? (name === offlineAccessScope ? texts.offlineAccess : name);

const parseBranding = (branding: Branding): Omit<ParsedBranding, 'language' | 'direction' | 'texts'> => {
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
