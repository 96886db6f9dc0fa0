import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, renderHtml } from '../../src/ui/layout.ts';
import { readMarkup } from './read-markup.ts';

test('escapes text for content and for quoted attributes', () => {
  expect(renderHtml(html`<p title="${`<>&"'`}">${`<>&"'`}</p>`)).toBe(
    '<p title="&lt;&gt;&amp;&quot;&#39;">&lt;&gt;&amp;&quot;&#39;</p>',
  );
});

test('escapes text that looks escaped once more', () => {
  expect(renderHtml(html`${'&lt;'}`)).toBe('&amp;lt;');
});

test('puts markup of its own in as it is, however deep', () => {
  const item = (text: string) => html`<li>${text}</li>`;
  expect(renderHtml(html`<ul>${[item('a'), [item('<b>')]]}</ul>`)).toBe(
    '<ul><li>a</li><li>&lt;b&gt;</li></ul>',
  );
});

test('renders numbers, zero too', () => {
  expect(renderHtml(html`${0} ${-1.5}`)).toBe('0 -1.5');
});

test('renders nothing for undefined, false and an empty list', () => {
  expect(renderHtml(html`[${undefined}${false}${[]}]`)).toBe('[]');
});

test('does not take markup from parsed input', () => {
  const posing = JSON.parse('{"markup":"<b>","Symbol(markup)":"<b>"}');
  expect(() => html`${posing}`).toThrow(TypeError);
});

test('keeps the markup around a value as it is written', () => {
  expect(renderHtml(html`<p>a &amp; b</p>\n${'c'}`)).toBe('<p>a &amp; b</p>\nc');
});

test('gives back any text unchanged to whoever reads the markup', async () => {
  const text = fc.string({ unit: 'binary', minLength: 1 });
  await fc.assert(
    fc.asyncProperty(text, text, async (attribute, content) => {
      expect(await readMarkup(renderHtml(html`<p title="${attribute}">${content}</p>`))).toEqual([
        { tag: 'p', attributes: { title: attribute } },
        { text: content },
      ]);
    }),
  );
});
