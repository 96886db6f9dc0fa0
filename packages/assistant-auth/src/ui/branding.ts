/**
 * Branding: what a publisher can change about the pages without replacing them (name, logo, icon, privacy
 * policy link, language and texts).
 */
import { ConfigurationError } from '../oauth/errors.ts';
import { parseTexts, type Texts } from './texts.ts';

/** How the broker's pages present the publisher. All values are plain text, and the pages escape them. */
export interface Branding {
  /** The product's name, as users know it. */
  readonly name: string;
  /**
   * Path of a logo on the broker's own origin (`/logo.svg`), shown as a square. The pages load nothing from
   * other origins.
   */
  readonly logoPath?: string;
  /**
   * Path of the icon in the browser tab. Default: the logo. Without a logo, browsers request `/favicon.ico`.
   */
  readonly iconPath?: string;
  /** Path or https URL of the privacy policy, linked in the footer of each page. */
  readonly privacyUrl?: string;
  /** Language of the texts, as a BCP 47 tag. Default: `en`. */
  readonly language?: string;
  /** Writing direction of the texts. Default: `ltr`. */
  readonly direction?: 'ltr' | 'rtl';
  /** Texts that replace the English ones, for another tone or another language. */
  readonly texts?: Partial<Texts>;
}

/** Validated branding, with all defaults filled in. The pages are rendered from it. */
export interface ParsedBranding {
  readonly name: string;
  readonly logoPath: SameOriginPath | undefined;
  readonly iconPath: SameOriginPath | undefined;
  readonly privacyUrl: SameOriginPath | HttpsUrl | undefined;
  readonly language: string;
  readonly direction: 'ltr' | 'rtl';
  readonly texts: Texts;
}

/**
 * Validates branding and fills in the defaults. Default of the name: "this service".
 * @throws ConfigurationError with the name of the option (`branding.logoPath`)
 */
export const parseBranding = (given: Partial<Branding>): ParsedBranding => {
  const logoPath = parseOptional(given.logoPath, (path) => parseSameOriginPath('branding.logoPath', path));
  return {
    name: parseOptional(given.name, parseName) ?? 'this service',
    logoPath,
    iconPath:
      parseOptional(given.iconPath, (path) => parseSameOriginPath('branding.iconPath', path)) ?? logoPath,
    privacyUrl: parseOptional(given.privacyUrl, (url) => parseLink('branding.privacyUrl', url)),
    language: parseOptional(given.language, parseLanguage) ?? 'en',
    direction: parseOptional(given.direction, parseDirection) ?? 'ltr',
    texts: parseTexts(given.texts ?? {}),
  };
};

const parseOptional = <Given, Parsed>(
  value: Given | undefined,
  parse: (value: Given) => Parsed,
): Parsed | undefined => (value === undefined ? undefined : parse(value));

const parseName = (name: unknown): string => {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw new ConfigurationError('branding.name', 'must be a non-empty string.');
};

const parseLanguage = (tag: unknown): string => {
  const known = typeof tag === 'string' ? canonicalTag(tag) : undefined;
  if (known !== undefined) return known;
  throw new ConfigurationError('branding.language', 'must be a language tag, such as en or pt-BR.');
};

const canonicalTag = (tag: string): string | undefined => {
  try {
    return new Intl.Locale(tag).toString();
  } catch {
    return undefined;
  }
};

const parseDirection = (direction: unknown): 'ltr' | 'rtl' => {
  if (direction === 'ltr' || direction === 'rtl') return direction;
  throw new ConfigurationError('branding.direction', 'must be ltr or rtl.');
};

/** A path on the broker's own origin, as the URL parser serializes it. */
type SameOriginPath = string & { readonly brand: unique symbol };

/** An absolute https URL, as the URL parser serializes it. */
type HttpsUrl = string & { readonly brand: unique symbol };

/**
 * Accepts a path on the broker's own origin: the pages load nothing from other origins.
 * @throws ConfigurationError for anything else, such as `//other.example`, a scheme, `..` or an unescaped
 *   space
 */
const parseSameOriginPath = (option: string, value: unknown): SameOriginPath => {
  if (isSameOriginPath(value)) return value;
  throw new ConfigurationError(option, 'must be a path on the broker’s own origin, such as /logo.svg.');
};

/**
 * Accepts the target of a link: a path on the broker's own origin, or an https URL without user information.
 * @throws ConfigurationError for anything else, such as `javascript:` or plain http
 */
const parseLink = (option: string, value: unknown): SameOriginPath | HttpsUrl => {
  if (isSameOriginPath(value) || isHttpsUrl(value)) return value;
  throw new ConfigurationError(
    option,
    'must be a path on the broker’s own origin or an https URL without user information.',
  );
};

// A value that equals its parsed form means the same to browsers, which skip tabs and turn \ into /.
const isSameOriginPath = (value: unknown): value is SameOriginPath =>
  typeof value === 'string' && URL.parse(value, baseOrigin)?.href === baseOrigin + value;

const baseOrigin = 'https://own.invalid';

const isHttpsUrl = (value: unknown): value is HttpsUrl => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url?.protocol === 'https:' && url.href === value && url.username === '' && url.password === '';
};
