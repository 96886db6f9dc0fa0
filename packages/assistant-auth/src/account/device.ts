/**
 * Describes the device of a session from its `User-Agent` header (RFC 9110 §10.1.5), so that users can
 * recognize their sessions. Anyone can send any header, so the description proves nothing and is only displayed.
 */

/**
 * Returns the browser and operating system, such as `Chrome, macOS`, or whichever of them is recognized. The
 * result contains no text from the header.
 * @param userAgent the value of the header
 * @returns `undefined` if neither is recognized
 */
export const describeDevice = (userAgent: string | null): string | undefined =>
  [browsers, systems]
    .flatMap((patterns) => patterns.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0] ?? [])
    .join(', ') || undefined;

type Patterns = readonly (readonly [name: string, pattern: RegExp])[];

/** The first match counts: the headers of most browsers also contain `Chrome` or `Safari`. */
const browsers: Patterns = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOP[RTX]\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS)\//],
  // With its version, which in-app browsers on iOS do not send.
  ['Safari', /\bVersion\/[\d.]+ (?:Mobile\/\w+ )?Safari\//],
];

/** The first match counts: iOS also sends `Mac OS X`, and Android `Linux`. */
const systems: Patterns = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
];
