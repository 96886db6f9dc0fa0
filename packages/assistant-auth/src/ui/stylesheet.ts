/**
 * The stylesheet of the sign-in and error pages, which the account pages share (`account/ui/stylesheet.ts`
 * adds the rules that only they need), and the rules for the publisher's colors. Colors are custom
 * properties; both color schemes have WCAG AA contrast. The buttons of providers have the colors that Google's
 * guidelines require, which those of Apple, GitHub and Microsoft allow, and never the publisher's color.
 */

/** A value for each color scheme. */
export interface PageColors {
  readonly light: string;
  readonly dark: string;
}

/**
 * The background with the lower contrast in each color scheme: around the card in the light one, and of the
 * card in the dark one. The other background is lighter in the light scheme and darker in the dark one.
 */
const background: PageColors = { light: '#f5f4f0', dark: '#181c23' };

/** The minimum contrast ratio of text (WCAG 2.2, 1.4.3). */
export const minContrast = 4.5;

/** Returns the contrast ratio of an accent color, as `#rrggbb`, with the background of the pages. */
export const accentContrast = (accent: string, scheme: keyof PageColors): number =>
  contrastRatio(accent, background[scheme]);

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

// `.logo:last-child`, the icon of a client, has a white background, because icons are made for it.
export const stylesheet = `:root {
  color-scheme: light dark;
  --page: light-dark(${background.light}, #0f1217);
  --card: light-dark(#ffffff, ${background.dark});
  --ink: light-dark(#1d2330, #e9ebef);
  --muted: light-dark(#5b6472, #a3abb8);
  --line: light-dark(#dcdad2, #303846);
  --accent: light-dark(#2f5d50, #8fd0ba);
  --accent-ink: light-dark(#ffffff, #10231d);
  --danger: light-dark(#a3261f, #ff9d92);
  --button: light-dark(#ffffff, #131314);
  --button-ink: light-dark(#1f1f1f, #e3e3e3);
  --button-line: light-dark(#747775, #8e918f);
}
* { box-sizing: border-box; }
body {
  display: flex;
  flex-direction: column;
  min-height: 100dvh;
  margin: 0;
  background: var(--card);
  color: var(--ink);
  font: 1rem/1.4 system-ui, sans-serif;
  overflow-wrap: anywhere;
  -webkit-text-size-adjust: 100%;
}
main, footer { width: 100%; max-width: 30rem; margin: 0 auto; padding: 1rem; }
main { margin-block: auto; }
h1 { margin: 0 0 0.5rem; font-size: 1.375rem; line-height: 1.25; text-wrap: balance; }
h2, legend { padding: 0; font-size: 1rem; font-weight: 600; }
h2, p { margin: 0 0 0.625rem; }
p { text-wrap: pretty; }
a { color: inherit; text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.brand { display: flex; gap: 0.625rem; align-items: center; margin-block-end: 0.75rem; font-weight: 600; text-decoration: none; }
.logo { flex: none; border-radius: 0.5rem; object-fit: contain; }
.logo:last-child, .row > .logo { padding: 0.3125rem; border: 1px solid var(--line); background: #ffffff; color: #1d2330; }
span.logo { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border: 1px solid var(--line); overflow: hidden; }
[dir=rtl] .arrow { scale: -1 1; }
.list { margin: 0 0 0.5rem; padding-inline-start: 1.25rem; }
.list li::marker { color: var(--accent); }
.warning { margin-block-end: 0.5rem; padding: 0.75rem; border: 2px solid var(--danger); border-radius: 0.5rem; }
.warning > * { margin: 0; font-size: 0.9375rem; }
form { margin: 0; }
fieldset { min-width: 0; margin: 0; padding: 0; border: 0; }
legend { margin-block: 0.25rem 0.5rem; }
.providers { display: grid; gap: 0.375rem; margin: 0; padding: 0; list-style: none; }
button, .action {
  display: flex;
  gap: 0.625rem;
  align-items: center;
  justify-content: center;
  width: 100%;
  min-height: 2.75rem;
  padding: 0.375rem 0.75rem;
  border: 1px solid var(--button-line);
  border-radius: 0.5rem;
  background: var(--button);
  color: var(--button-ink);
  font: inherit;
  font-weight: 500;
  overflow-wrap: anywhere;
  text-decoration: none;
  cursor: pointer;
}
button:hover { background: color-mix(in srgb, currentColor 8%, var(--button)); }
.providers span { flex: auto; }
.providers small { flex: none; color: inherit; font-weight: 400; }
.icon { flex: none; object-fit: contain; }
.filled { --button: light-dark(#131314, #ffffff); --button-ink: light-dark(#e3e3e3, #1f1f1f); --button-line: var(--button); }
.filled .single-color { filter: invert(1); }
@media (prefers-color-scheme: dark) {
  .single-color { filter: invert(1); }
  .filled .single-color { filter: none; }
}
.main, .action { --button: var(--accent); --button-ink: var(--accent-ink); --button-line: var(--accent); }
.cancel { margin-block-start: 0.5rem; border-color: transparent; background: none; }
.note, footer { color: var(--muted); font-size: 0.875rem; }
.note { margin: 0.5rem 0 0; }
code { font: 1em ui-monospace, monospace; -webkit-user-select: all; user-select: all; }
footer { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; justify-content: center; padding-block: 0 1rem; }
@media (min-width: 30rem) {
  body { padding-block-start: 0.5rem; background: var(--page); }
  main { margin-block: auto 0.75rem; padding: 1rem 1.75rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); }
  footer { margin-block-end: auto; }
}
`;
