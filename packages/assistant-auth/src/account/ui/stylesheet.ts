/**
 * The CSS for what only the account pages have, and for what they add to the sign-in page: notices, and the
 * button that continues in a session. It is served before that of `ui/stylesheet.ts`, so rules that a
 * publisher appends there override it. Buttons that end something have a cross, so that the color is not
 * the only sign.
 */

export const accountStylesheet = `
.or { margin: 0.5rem 0; color: var(--muted); font-size: 0.875rem; text-align: center; }
.notice, .box { margin-block-end: 0.75rem; padding: 0.75rem; border-inline-start: 0.25rem solid var(--accent); background: color-mix(in srgb, var(--accent) 10%, var(--card)); }
.notice:focus-visible { outline: none; }
main:has(section) { max-width: 40rem; }
section { margin-block-start: 1.25rem; padding-block-start: 1.25rem; border-block-start: 1px solid var(--line); }
section.box { padding: 0.75rem; border-block-start: none; }
section > .note { margin: 0 0 0.5rem; }
section p:last-child { margin: 0; }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
h3 + p, h3 ~ p { margin: 0.125rem 0; font-size: 0.875rem; }
small { color: var(--muted); font-size: 0.875rem; font-weight: 400; }
.rows { margin: 0; padding: 0; list-style: none; }
.rows > .row > .icon { margin-block-start: 0.125rem; }
.row { display: flex; gap: 0.75rem; }
form > .row { flex-wrap: wrap; align-items: center; }
form > .rows + .row { margin-block-start: 0.75rem; }
.rows > .row { padding-block: 0.625rem; }
.rows > .row + .row { border-block-start: 1px solid var(--line); }
.row > div { flex: 1; min-width: 0; }
.row > p { flex: 1 10rem; margin: 0; }
.row > .logo { width: 2rem; height: 2rem; }
.row > button { flex: none; align-self: start; width: auto; }
form > .row > button { flex-shrink: 1; }
.row > p > small { display: block; }
p:has(+ .inline), .inline, .inline > li { display: inline; margin: 0; padding: 0; font-size: 0.875rem; }
.inline > li + li::before { content: " \\b7  "; }
.notice button, .rows button { min-height: 2.25rem; font-size: 0.875rem; }
.notice button { width: auto; }
.notice :last-child { margin-block-end: 0; }
.end { color: var(--danger); }
.end::before { content: "\\d7" / ""; }
dl { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; margin: 0.75rem 0; }
dt { color: var(--muted); font-size: 0.875rem; }
dd { margin: 0; font-size: 1.125rem; font-weight: 600; }
summary { min-height: 2.25rem; padding-block: 0.375rem; font-weight: 500; cursor: pointer; }
label { display: flex; gap: 0.625rem; align-items: center; min-height: 2.75rem; }
input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--danger); }
`;
