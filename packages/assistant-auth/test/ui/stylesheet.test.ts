import { describe, expect, test } from 'vitest';
import { stylesheet } from '../../src/ui/stylesheet.ts';

/** WCAG 2.2 relative luminance of `#rrggbb`. */
const luminance = (colour: string): number => {
  const channel = (start: number): number => {
    const value = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
};

const contrast = (one: string, other: string): number => {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const [light = '', dark = ''] = stylesheet.split('prefers-color-scheme: dark');

const colour = (scheme: string, name: string): string =>
  new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(scheme)?.[1] ?? '';

describe.each([
  { scheme: 'light', source: light },
  { scheme: 'dark', source: dark },
])('$scheme scheme', ({ source }) => {
  test.each([
    ['ink', 'paper', 4.5],
    ['muted', 'paper', 4.5],
    ['accent', 'paper', 4.5],
    ['accent-ink', 'accent', 4.5],
    ['danger', 'paper', 4.5],
  ])('%s on %s has a contrast of at least %d', (text, ground, least) => {
    expect(contrast(colour(source, text), colour(source, ground))).toBeGreaterThanOrEqual(least);
  });
});

test('tells what ends something by more than its colour', () => {
  expect(stylesheet).toContain(String.raw`.end::before { content: "\d7\a0" / ""; }`);
});

test('loads nothing', () => {
  expect(stylesheet).not.toMatch(/url\(|@import|@font-face|image-set/i);
});
