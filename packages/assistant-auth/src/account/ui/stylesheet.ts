/**
 * The CSS for what only the account pages have, and for what they add to the sign-in page: notices, and the
 * button that continues in a session. It is served before that of `ui/stylesheet.ts`, so rules that a
 * publisher appends there override it. Buttons that end something have a cross, so that the color is not
 * the only sign.
 */

export const accountStylesheet = `
.main { border-color: var(--accent); background: var(--accent); color: var(--accent-ink); font-weight: 600; }
.or { margin: 0.75rem 0; color: var(--muted); text-align: center; }
.or + ul.providers li button { background: transparent; color: var(--ink); }
.notice {
  padding: 0.75rem 1rem;
  border-inline-start: 0.25rem solid var(--accent);
  background: color-mix(in srgb, var(--accent) 12%, var(--paper));
}
.notice:focus-visible { outline: none; }
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
.end { border-color: var(--danger); color: var(--danger); }
.end::before { content: "\\d7\\a0" / ""; }
@media (hover: hover) {
  .end:hover { background: var(--danger); color: var(--paper); }
}
label { display: flex; gap: 0.625rem; align-items: center; min-height: 2.75rem; }
input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--danger); }
dt { color: var(--muted); font-size: 0.875rem; }
dd { margin: 0 0 1rem; font-weight: 600; }
`;
