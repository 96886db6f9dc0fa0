/**
 * The stylesheet of all pages. Colors are custom properties, except the white behind icons; both color
 * schemes have WCAG AA contrast.
 */

export const stylesheet = `:root {
  color-scheme: light dark;
  --paper: #fbfaf7;
  --ink: #1d2330;
  --muted: #5b6472;
  --line: #d9d7cf;
  --accent: #2f5d50;
  --accent-ink: #ffffff;
  --danger: #a3261f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f;
    --ink: #e9ebef;
    --muted: #a3abb8;
    --line: #303846;
    --accent: #8fd0ba;
    --accent-ink: #10231d;
    --danger: #ff9d92;
  }
}
*, ::before, ::after { box-sizing: border-box; }
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
.scopes { margin: 0.25rem 0 1rem; padding-inline-start: 1.125rem; list-style: disc; }
.scopes li::marker { color: var(--accent); }
.facts > .scopes + p { margin-inline: -1rem; padding: 1rem 1rem 0; border-block-start: 1px solid var(--line); }
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
/* White in both color schemes, because the icons are made for it. */
.icon {
  margin-inline-end: 0.625rem;
  padding: 0.125rem;
  border-radius: 0.25rem;
  background: #ffffff;
  vertical-align: middle;
}
.providers button, .main { border-color: var(--accent); font-weight: 600; }
.main, .providers li:only-child button { background: var(--accent); color: var(--accent-ink); }
.or { margin: 0.75rem 0; color: var(--muted); text-align: center; }
.or + .providers li button { background: transparent; color: var(--ink); }
@media (hover: hover) {
  .providers button:hover { background: var(--accent); color: var(--accent-ink); }
  .end:hover { background: var(--danger); color: var(--paper); }
  .cancel:hover { border-color: var(--muted); }
  a:hover { color: var(--accent); }
}
section { margin-block-start: 2.5rem; }
section > :last-child { margin-block-end: 0; }
section h2 { margin-block-end: 0.5rem; font-size: 1.25rem; line-height: 1.3; }
section.facts { border-color: var(--accent); }
h3 { margin: 1.75rem 0 0.75rem; font-size: 1rem; font-weight: 600; }
small { display: block; color: var(--muted); font-size: 0.875rem; font-weight: 400; }
p:has(+ .scopes) { margin-block-end: 0.25rem; }
.cards { display: grid; gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
.cards > li { display: grid; gap: 0.75rem; margin: 0; padding-block-end: 0.75rem; }
.cards > li > * { margin-block: 0; }
.cards > li > .scopes { margin-block-start: -0.5rem; }
.cards + p { margin-block-start: 1.25rem; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; justify-content: space-between; }
.row > * { flex: auto; }
.row p { margin: 0; }
.row button { flex: none; width: auto; min-height: 2.75rem; padding-inline: 0.75rem; }
/* Buttons that end something have a cross, so that the color is not the only sign. */
.end { border-color: var(--danger); color: var(--danger); }
.end::before { content: "\\d7\\a0" / ""; }
label { display: flex; gap: 0.625rem; align-items: center; min-height: 2.75rem; }
input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--danger); }
dt { color: var(--muted); font-size: 0.875rem; }
dd { margin: 0 0 1rem; font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.notice {
  padding: 0.75rem 1rem;
  border-inline-start: 0.25rem solid var(--accent);
  background: color-mix(in srgb, var(--accent) 12%, var(--paper));
  outline: none;
}
.note, footer { color: var(--muted); font-size: 0.875rem; }
.note { margin: 0; }
.reference span { color: var(--muted); }
code { font: 1rem/1.5 ui-monospace, monospace; -webkit-user-select: all; user-select: all; }
footer { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
a { color: inherit; text-underline-offset: 0.2em; }
`;
