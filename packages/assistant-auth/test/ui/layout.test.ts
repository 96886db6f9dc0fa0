import { describe, expect, test } from 'vitest';
import { defaultPages } from '../../src/context.ts';
import { parseBranding } from '../../src/ui/branding.ts';
import { renderAccount, renderAccountSignIn, renderLink, renderLinkConflict } from '../account/ui/models.ts';
import { renderError, renderSignIn } from './models.ts';
import { type MarkupToken, readAttributes, readLines, readMarkup } from './read-markup.ts';

const pages = [
  { page: 'sign-in page', render: renderSignIn },
  { page: 'error page', render: renderError },
  { page: 'account page', render: renderAccount },
  { page: 'account sign-in page', render: renderAccountSignIn },
  { page: 'link page', render: renderLink },
  { page: 'taken page', render: renderLinkConflict },
] as const;

const tags = (pieces: readonly MarkupToken[]) =>
  pieces.flatMap((piece) => ('tag' in piece ? [piece.tag] : []));

const attributes = (pieces: readonly MarkupToken[]) =>
  pieces.flatMap((piece) => ('tag' in piece ? Object.entries(piece.attributes) : []));

describe.each(pages)('$page', ({ render }) => {
  test('W1.3 has no script, no style and no event handler of its own', async () => {
    const pieces = await readMarkup(render());
    for (const forbidden of ['script', 'style', 'iframe', 'object', 'embed', 'base', 'template'])
      expect(tags(pieces)).not.toContain(forbidden);
    for (const [name] of attributes(pieces)) expect(name).not.toMatch(/^(on|style$|http-equiv$|srcdoc$)/);
  });

  test('loads nothing from elsewhere', async () => {
    const addresses = attributes(await readMarkup(render()))
      .filter(([name]) => ['href', 'src', 'action', 'formaction', 'srcset'].includes(name))
      .map(([, value]) => value);
    expect(addresses.length).toBeGreaterThanOrEqual(3);
    for (const address of addresses) expect(address).toMatch(/^(\/[^/\\]|#confirm$)/);
  });

  test('begins as a standards-mode document in UTF-8 that fits a phone', async () => {
    const page = render();
    expect(page).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">\n/);
    expect(await readAttributes(page, 'meta')).toContainEqual({
      name: 'viewport',
      content: 'width=device-width, initial-scale=1',
    });
    expect(await readAttributes(page, 'link')).toEqual([
      { rel: 'icon', href: '/favicon.svg' },
      { rel: 'stylesheet', href: '/sign-in.css' },
    ]);
  });

  test('has one main landmark and one heading of the first rank', async () => {
    const found = tags(await readMarkup(render()));
    expect(found.filter((tag) => tag === 'main')).toHaveLength(1);
    expect(found.filter((tag) => tag === 'h1')).toHaveLength(1);
    expect(found.filter((tag) => tag === 'title')).toHaveLength(1);
  });

  test('shows the logo as decoration beside the name', async () => {
    expect(await readAttributes(render(), 'img')).toEqual([
      { class: 'logo', src: '/logo.svg', alt: '', width: '48', height: '48' },
    ]);
  });

  test('links the privacy policy without telling it the address of the page', async () => {
    const page = render({ branding: { privacyUrl: 'https://words.example/privacy' } });
    expect((await readAttributes(page, 'a')).at(-1)).toEqual({
      href: 'https://words.example/privacy',
      rel: 'noreferrer',
    });
  });

  test('says the language and direction of its texts', async () => {
    const page = render({ branding: { language: 'he', direction: 'rtl' } });
    expect(await readAttributes(page, 'html')).toEqual([{ lang: 'he', dir: 'rtl' }]);
  });
});

describe('a notice', () => {
  test('is a status below the heading, where reading begins', async () => {
    const pieces = await readMarkup(renderSignIn({ model: { notice: 'session-ended' } }));
    const at = pieces.findIndex((piece) => 'tag' in piece && piece.tag === 'p');
    expect(pieces.slice(at, at + 2)).toEqual([
      { tag: 'p', attributes: { class: 'notice', role: 'status', tabindex: '-1', autofocus: '' } },
      { text: 'Your session has ended. Please sign in again.' },
    ]);
    expect(tags(pieces.slice(0, at)).at(-1)).toBe('h1');
  });

  test.each(pages)('is absent from the $page when there is nothing to say', async ({ render }) => {
    expect(attributes(await readMarkup(render()))).not.toContainEqual(['role', 'status']);
  });
});

test('a page without logo, icon and policy shows no picture and links nothing', async () => {
  const page = defaultPages.error({
    branding: parseBranding({}),
    title: 'Nothing is here',
    message: 'The address is wrong.',
    reference: 'q3T9bX0aLkE',
    stylesheetPath: '/sign-in.css',
  });
  expect(await readAttributes(page, 'img')).toEqual([]);
  expect(await readAttributes(page, 'a')).toEqual([]);
  expect(await readAttributes(page, 'link')).toEqual([{ rel: 'stylesheet', href: '/sign-in.css' }]);
  expect((await readLines(page)).at(-1)).toBe('this service');
});
