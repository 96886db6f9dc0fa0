/**
 * The stylesheet of the sign-in and error pages, which the account pages share (`account/ui/stylesheet.ts`
 * adds the rules that only they need), and the rules for the publisher's colors. Colors are custom
 * properties, except the white behind icons, which are made for a white background; both color schemes have
 * WCAG AA contrast.
 */

/** A value for each color scheme. */
export interface PageColors {
  readonly light: string;
  readonly dark: string;
}

/** The backgrounds of the pages. */
const paper: PageColors = { light: '#fbfaf7', dark: '#14181f' };

/** The minimum contrast ratio of text (WCAG 2.2, 1.4.3). */
export const minContrast = 4.5;

/** Returns the contrast ratio of an accent color, as `#rrggbb`, with the background of the pages. */
export const accentContrast = (accent: string, scheme: keyof PageColors): number =>
  contrastRatio(accent, paper[scheme]);

/**
 * Returns the stylesheet with the publisher's accent colors. The text on a button is white or black: one of
 * them has a contrast ratio of at least 4.58 with any color.
 */
export const renderStylesheet = (
  css: string,
  { light, dark }: { readonly light?: AccentColor; readonly dark?: AccentColor },
): string => css + renderAccent('light', light) + renderAccent('dark', dark);

interface AccentColor {
  readonly accent: string;
}

const renderAccent = (scheme: keyof PageColors, color: AccentColor | undefined): string => {
  if (color === undefined) return '';
  const { accent } = color;
  const ink = contrastRatio(accent, '#ffffff') >= contrastRatio(accent, '#000000') ? '#ffffff' : '#000000';
  return `@media (prefers-color-scheme: ${scheme}) {
  :root { --accent: ${accent}; --accent-ink: ${ink}; }
}
`;
};

/** Returns the contrast ratio of two colors, from 1 to 21 (WCAG 2.2, contrast ratio). */
const contrastRatio = (one: string, other: string): number => {
  const luminances = [relativeLuminance(one), relativeLuminance(other)];
  return (Math.max(...luminances) + 0.05) / (Math.min(...luminances) + 0.05);
};

/** Returns the relative luminance of a color, from 0 to 1 (WCAG 2.2, relative luminance). */
const relativeLuminance = (color: string): number =>
  [0.2126, 0.7152, 0.0722].reduce((sum, weight, index) => {
    const channel = Number.parseInt(color.slice(2 * index + 1, 2 * index + 3), 16) / 255;
    const linear = channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    return sum + weight * linear;
  }, 0);

export const stylesheet = `:root {
  color-scheme: light dark;
  --paper: ${paper.light};
  --ink: #1d2330;
  --muted: #5b6472;
  --line: #d9d7cf;
  --accent: #2f5d50;
  --accent-ink: #ffffff;
  --danger: #a3261f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: ${paper.dark};
    --ink: #e9ebef;
    --muted: #a3abb8;
    --line: #303846;
    --accent: #8fd0ba;
    --accent-ink: #10231d;
    --danger: #ff9d92;
  }
}
* { box-sizing: border-box; }
body {
  display: flex;
  flex-direction: column;
  gap: 1.5rem;
  min-height: 100vh;
  min-height: 100dvh;
  margin: 0;
  padding: 1.5rem 1.25rem;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere;
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}
main, footer { width: 100%; max-width: 26rem; margin-inline: auto; }
main { margin-block: auto; }
.logo { display: block; margin-block-end: 1.25rem; border-radius: 0.75rem; object-fit: contain; }
h1 { margin: 0 0 0.75rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2, legend { padding: 0; font-size: 1rem; font-weight: 600; }
h2 { margin: 0; }
p { margin: 0 0 1.25rem; text-wrap: pretty; }
.lead { font-size: 1.125rem; }
.facts { margin-block-end: 1.5rem; padding: 1rem; border: 1px solid var(--line); border-radius: 0.75rem; }
.facts > :last-child { margin-block-end: 0; }
.warning { border: 2px solid var(--danger); }
.scopes { margin: 0.25rem 0 1rem; padding-inline-start: 1.125rem; list-style: disc; }
.scopes li::marker { color: var(--accent); }
.facts > p + h2, .facts > .scopes + p { margin-inline: -1rem; padding: 1rem 1rem 0; border-block-start: 1px solid var(--line); }
form { display: grid; gap: 0.75rem; margin-block-end: 1.25rem; }
fieldset { min-width: 0; margin: 0; padding: 0; border: 0; }
legend { margin-block-end: 0.75rem; }
.providers { display: grid; gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
button {
  width: 100%;
  min-height: 3rem;
  padding: 0.625rem 1rem;
  border: 1.5px solid var(--line);
  border-radius: 0.75rem;
  background: transparent;
  color: var(--ink);
  font: inherit;
  overflow-wrap: anywhere;
  cursor: pointer;
}
.icon {
  margin-inline-end: 0.625rem;
  padding: 0.125rem;
  border-radius: 0.25rem;
  background: #ffffff;
  vertical-align: middle;
}
.providers button { border-color: var(--accent); font-weight: 600; }
.providers li:only-child button { background: var(--accent); color: var(--accent-ink); }
@media (hover: hover) {
  .providers button:hover { background: var(--accent); color: var(--accent-ink); }
  .cancel:hover { border-color: var(--muted); }
  a:hover { color: var(--accent); }
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.note, footer { color: var(--muted); font-size: 0.875rem; }
.note { margin: 0; }
.reference span { color: var(--muted); }
code { font: 1rem/1.5 ui-monospace, monospace; -webkit-user-select: all; user-select: all; }
footer { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
a { color: inherit; text-underline-offset: 0.2em; }
`;
