import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Branding } from '../../src/ui/branding.ts';
import { defaultAccountTexts, defaultTexts } from '../../src/ui/texts.ts';
import { accountFields, everyAccountNotice, everyAccountPage } from '../account/ui/fields.ts';
import { renderCompleted, renderError, renderSignIn } from './models.ts';
import { readMarkup } from './read-markup.ts';

/** A field of a page: renders that page with the given value in it. */
type Field = readonly [name: string, render: (value: string) => string];

/** Every page but the account’s, one after the other, so that every text of theirs is shown. */
const everyPage = (branding: Partial<Branding>): string =>
  [
    renderSignIn({ branding, model: { notice: 'session-ended' } }),
    renderSignIn({ branding, model: { notice: 'provider-not-confirmed', scopes: [] } }),
    renderSignIn({ branding, model: { session: { provider: 'Google', label: 'ada@words.example' } } }),
    renderSignIn({ branding, model: { session: { provider: 'Google' } } }),
    renderError({ branding }),
    ...(['signed-in', 'ended', 'linked'] as const).flatMap((outcome) => [
      renderCompleted({ branding, model: { outcome } }),
      renderCompleted({ branding, model: { outcome, destination: { kind: 'account', url: '/account' } } }),
    ]),
  ].join('');

const fields: readonly Field[] = [
  ['branding.name', (name) => everyPage({ name }) + everyAccountPage({ name })],
  ...Object.entries(defaultTexts)
    .filter(([name]) => !(name in defaultAccountTexts))
    .map(
      ([name, text]): Field => [
        `branding.texts.${name}`,
        (value) => everyPage({ texts: { [name]: value + text } }),
      ],
    ),
  ['clientName', (clientName) => renderSignIn({ model: { clientName } })],
  ['redirectHost', (redirectHost) => renderSignIn({ model: { redirectHost } })],
  ['scope description', (description) => renderSignIn({ model: { scopes: [{ name: 'a', description }] } })],
  ['provider id', (id) => renderSignIn({ model: { providers: [{ id, displayName: 'a' }] } })],
  [
    'mark’s path',
    (providerIconPath) =>
      renderSignIn({ model: { providers: [{ id: 'a', displayName: 'a', providerIconPath }] } }),
  ],
  ['provider label', (label) => renderSignIn({ model: { providers: [{ id: 'a', displayName: label }] } })],
  ['action', (action) => renderSignIn({ model: { action } })],
  ['consent', (consent) => renderSignIn({ model: { consent } })],
  ['sign-in stylesheetPath', (stylesheetPath) => renderSignIn({ model: { stylesheetPath } })],
  ['session’s provider', (provider) => renderSignIn({ model: { session: { provider } } })],
  ['session’s label', (label) => renderSignIn({ model: { session: { provider: 'a', label } } })],
  [
    'completed client',
    (name) =>
      renderCompleted({ model: { destination: { kind: 'client', name, url: 'https://a.example/' } } }),
  ],
  [
    'completed client of no website',
    (name) => renderCompleted({ model: { destination: { kind: 'client', name } } }),
  ],
  [
    'completed client’s url',
    (url) => renderCompleted({ model: { destination: { kind: 'client', name: 'a', url } } }),
  ],
  [
    'account’s path on the completed page',
    (url) => renderCompleted({ model: { destination: { kind: 'account', url } } }),
  ],
  ['completed stylesheetPath', (stylesheetPath) => renderCompleted({ model: { stylesheetPath } })],
  ['title', (title) => renderError({ model: { title } })],
  ['message', (message) => renderError({ model: { message } })],
  ['reference', (reference) => renderError({ model: { reference } })],
  ['error stylesheetPath', (stylesheetPath) => renderError({ model: { stylesheetPath } })],
  ...accountFields,
];

const payloads = [
  '<script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "'><a href='javascript:alert(1)'>",
  '" autofocus onfocus="alert(1)',
  "' autofocus onfocus='alert(1)",
  'x onmouseover=alert(1) style=color:red',
  '</fieldset></form><form action=https://evil.example>',
  '<!-- --!><base href=//evil.example>',
  ']]><![CDATA[<b>',
  '&lt;b&gt; &#60;b&#62; &amp;lt; &quot;',
  '\u0000<b\u0000>\u0000',
  '\r\n\t<b>\u2028</b>',
];

const stand = 'Zebra';

/** What the page must be read as: the same page with a harmless value, and the value as mere text in its place. */
const expected = async (render: Field[1], value: string) =>
  JSON.parse(await readHarmless(render), (_, item) =>
    typeof item === 'string' ? item.replaceAll(stand, () => value) : item,
  );

const readHarmless = async (render: Field[1]): Promise<string> => {
  const known = harmless.get(render) ?? JSON.stringify(await readMarkup(render(stand)));
  harmless.set(render, known);
  return known;
};

/** A cache: reading a page takes milliseconds. */
const harmless = new Map<Field[1], string>();

const cases = fields.flatMap(([field, render]) =>
  payloads.map((payload) => ({ field, payload: JSON.stringify(payload), render, value: payload })),
);

describe('markup in a field', () => {
  test.each(cases)('W1.1 is inert: $payload in $field', async ({ render, value }) => {
    expect(await readMarkup(render(value))).toEqual(await expected(render, value));
  });

  test.each(fields)('W1.1 of any shape stays text in %s', async (_, render) => {
    expect(render(stand)).toContain(stand);
    await fc.assert(
      fc.asyncProperty(anyText, async (value) => {
        expect(await readMarkup(render(value))).toEqual(await expected(render, value));
      }),
      { numRuns: 20 },
    );
  });
});

// Braces name places in replaced texts and are refused there, which branding.test.ts shows.
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<', '>', '"', "'", '&', '/', '=', '`', '<!--', '</title>', '&lt', ';', ' on', 'x'),
    ),
    { minLength: 1 },
  )
  .map((pieces) => pieces.join('').replaceAll(/[{}]/g, ''))
  .filter((text) => text.trim() !== '');

test.each(Object.entries(defaultTexts))('the text %s is shown on some page', (name, text) => {
  const branding = { texts: { [name]: stand + text } };
  expect(everyPage(branding) + everyAccountPage(branding) + everyAccountNotice(branding)).toContain(stand);
});
