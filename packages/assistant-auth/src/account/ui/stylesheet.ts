/**
 * The CSS for what only the account pages have, and for what they add to the sign-in page: notices, and the
 * button that continues in a session. It is served before that of `ui/stylesheet.ts`, so rules that a
 * publisher appends there override it. Buttons that end something have a cross, so that the color is not
 * the only sign.
 */

export const accountStylesheet = `
.or { margin: 0.5rem 0; color: var(--muted); font-size: 0.875rem; text-align: center; }
.or + ul .filled { --button: light-dark(#ffffff, #131314); --button-ink: light-dark(#1f1f1f, #e3e3e3); --button-line: light-dark(#747775, #8e918f); }
.notice {
  padding: 0.625rem 0.75rem;
  border-inline-start: 0.25rem solid var(--accent);
  background: color-mix(in srgb, var(--accent) 12%, var(--card));
}
.notice:focus-visible { outline: none; }
`;
