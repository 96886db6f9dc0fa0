/**
 * Describes the device of a session by its `User-Agent` header (RFC 9110 §10.1.5), so that users recognize
 * their sessions. Anyone can send any header, so the description proves nothing, and is only displayed.
 */

/**
 * Returns the browser and the system, such as `Chrome, macOS`, or the one of them that is recognized. Contains
 * no text of the header.
 * @param userAgent the value of the header
 * @returns `undefined` if neither is recognized
 */
export const describeDevice = (userAgent: string | null): string | undefined =>
  [browsers, systems]
    .flatMap((patterns) => patterns.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0] ?? [])
    .join(', ') || undefined;

type Patterns = readonly (readonly [name: string, pattern: RegExp])[];

/** The first match counts: most browsers also name Chrome and Safari. */
const browsers: Patterns = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOP[RTX]\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS)\//],
  // With its version, which browsers inside of apps on iOS do not send.
  ['Safari', /\bVersion\/[\d.]+ (?:Mobile\/\w+ )?Safari\//],
];

/** The first match counts: iOS also names Mac OS X, and Android names Linux. */
const systems: Patterns = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
];
