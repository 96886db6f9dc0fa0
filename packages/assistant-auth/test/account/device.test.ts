/** Descriptions of devices by their `User-Agent`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeDevice } from '../../src/account/device.ts';

const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const android = 'Mozilla/5.0 (Linux; Android 10; K)';
const iPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const iPad = 'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const chrome = `${webKit} Chrome/126.0.0.0 Safari/537.36`;

describe('a device', () => {
  it.each([
    [`${mac} ${chrome}`, 'Chrome, macOS'],
    [`${windows} ${chrome}`, 'Chrome, Windows'],
    [`Mozilla/5.0 (X11; Linux x86_64) ${chrome}`, 'Chrome, Linux'],
    [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${chrome}`, 'Chrome, ChromeOS'],
    [`${android} ${webKit} Chrome/126.0.0.0 Mobile Safari/537.36`, 'Chrome, Android'],
    [`${iPhone} CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1`, 'Chrome, iPhone'],
    [`${iPad} CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1`, 'Chrome, iPad'],
    [`${windows} ${chrome} Edg/126.0.0.0`, 'Edge, Windows'],
    [`${windows} ${chrome} Edge/18.17763`, 'Edge, Windows'],
    [`${android} ${webKit} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0`, 'Edge, Android'],
    [`${iPhone} Version/17.0 EdgiOS/126.0 Mobile/15E148 Safari/604.1`, 'Edge, iPhone'],
    [`${mac} ${chrome} OPR/112.0.0.0`, 'Opera, macOS'],
    [`${android} ${webKit} Chrome/126.0.0.0 Mobile Safari/537.36 OPR/83.0`, 'Opera, Android'],
    [`${iPhone} Version/17.0 Mobile/15E148 Safari/9537.53 OPT/4.6.0`, 'Opera, iPhone'],
    [
      `${android} ${webKit} SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36`,
      'Samsung Internet, Android',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0', 'Firefox, Linux'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0',
      'Firefox, macOS',
    ],
    ['Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0', 'Firefox, Android'],
    [`${iPhone} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, 'Firefox, iPhone'],
    [`${mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15`, 'Safari, macOS'],
    [`${iPhone} Version/17.5 Mobile/15E148 Safari/604.1`, 'Safari, iPhone'],
    [`${iPad} Version/17.5 Mobile/15E148 Safari/604.1`, 'Safari, iPad'],
    // A browser inside of an app.
    [`${iPhone} Mobile/15E148`, 'iPhone'],
    ['Mozilla/5.0 (Linux; U; Android 4.0) Version/4.0 Mobile Safari/534.30', 'Android'],
    ['Firefox/127.0', 'Firefox'],
    ['curl/8.5.0', undefined],
    ['NotChrome/1 xWindows MyFirefox/2', undefined],
    ['', undefined],
    [null, undefined],
  ])('that sends %j is described as %j', (userAgent, description) => {
    expect(describeDevice(userAgent)).toBe(description);
  });

  const browsers = ['Edge', 'Opera', 'Samsung Internet', 'Firefox', 'Chrome', 'Safari'];
  const systems = ['iPhone', 'iPad', 'Android', 'Windows', 'macOS', 'ChromeOS', 'Linux'];
  const descriptions: readonly (string | undefined)[] = [
    ...browsers.flatMap((browser) => systems.map((system) => `${browser}, ${system}`)),
    ...[...browsers, ...systems, undefined],
  ];

  it('has one of a fixed set of descriptions, of at most 40 characters, whatever it sends', () => {
    const words = [
      'Edg/',
      'OPR/',
      'Chrome/1',
      'Version/1 Safari/',
      'iPhone',
      'Mac OS X',
      'Linux',
      ' ',
      '/',
      '\0',
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(text, (parts) => {
        expect(descriptions).toContain(describeDevice(parts.join('')));
      }),
    );
    expect(Math.max(...descriptions.map((description = '') => description.length))).toBeLessThanOrEqual(40);
  });
});
