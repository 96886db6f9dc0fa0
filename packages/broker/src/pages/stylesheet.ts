/** The pages' one stylesheet. Colours are custom properties; both schemes keep WCAG AA contrast. */

export const stylesheet = `:root {
  color-scheme: light dark;
  --paper: #fbfaf7;
  --ink: #1d2330;
  --muted: #5b6472;
  --line: #d9d7cf;
  --accent: #2f5d50;
  --accent-ink: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f;
    --ink: #e9ebef;
    --muted: #a3abb8;
    --line: #303846;
    --accent: #8fd0ba;
    --accent-ink: #10231d;
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
.scopes { margin: 0.25rem 0 1rem; padding-inline-start: 1.125rem; }
.scopes li::marker { color: var(--accent); }
.scopes + p { margin-inline: -1rem; padding: 1rem 1rem 0; border-block-start: 1px solid var(--line); }
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
/* On white, whatever the scheme: marks are made for it. */
.mark {
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
