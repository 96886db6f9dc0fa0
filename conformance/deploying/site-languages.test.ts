/**
 * Tests that the pages of all languages match: a change of one language that was forgotten in the other fails
 * here. Also tests that the pages of one language have the same header and footer.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SiteLanguage, siteLanguages } from '../../apps/words/src/site-routes.ts';
import { publicFolder } from '../../scripts/app/paths.ts';

const names = ['404.html', 'index.html', 'play.html', 'privacy.html', 'terms.html'];

/** The paths of the pages, below the folder of the language. The page for unknown paths has none. */
const pagePaths: Readonly<Record<string, string>> = {
  'index.html': '',
  'play.html': 'play',
  'privacy.html': 'privacy',
  'terms.html': 'terms',
};

const readPage = (language: SiteLanguage, name: string): Promise<string> =>
  readFile(join(publicFolder, language, name), 'utf8');

/** Attributes with text in the language of the page. Of the play page, those are texts that the Worker chooses. */
const translated = /\s(?:content|alt|aria-label|lang|placeholder|data-(?!if|text|choose|list)\w+)="[^"]*"/g;

/** The keyboards have other orders of letters. */
const keyValue = /(name="guess") value="[a-z]"/g;

/** Lists tags, with the attributes that are the same in each language, and the names of comments. */
const listMarkup = (page: string, language: SiteLanguage): readonly string[] => {
  const own = new RegExp(`="/?${language}(?=[/"])`, 'g');
  const other = new RegExp(
    `="/?(?:${siteLanguages.filter((name) => name !== language).join('|')})(?=[/"])`,
    'g',
  );
  return [...page.matchAll(/<!-- (.*?) -->|<\/?[a-z][^>]*>/g)].map(([tag, comment]) => {
    if (comment !== undefined) return comment.replace(/:.*/, '');
    const rest = tag.replaceAll(translated, '').replaceAll(keyValue, '$1');
    // The alternates are the same in each language.
    return tag.startsWith('<link rel="alternate"')
      ? tag
      : rest.replaceAll(own, '="OWN').replaceAll(other, '="OTHER');
  });
};

const removeTags = (page: string): string => page.replaceAll(/<[^>]*>/g, ' ');

const listMatches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([match, group]) => group ?? match);

const readMetadata = (page: string): readonly (string | undefined)[] =>
  [
    /<title>(.*)<\/title>/,
    /<meta name="description" content="(.*)">/,
    /<meta property="og:title" content="(.*)">/,
    /<meta property="og:description" content="(.*)">/,
  ].map((pattern) => pattern.exec(page)?.[1]);

describe('all languages', () => {
  it('have a folder with the same pages', async () => {
    for (const language of siteLanguages)
      expect((await readdir(join(publicFolder, language))).sort()).toEqual(names);
  });

  it.each(names)('have the same elements, IDs, links and values of the deployment in %s', async (name) => {
    const english = listMarkup(await readPage('en', name), 'en');
    expect(english.length).toBeGreaterThan(40);
    expect(listMarkup(await readPage('de', name), 'de')).toEqual(english);
  });

  it.each(names)('have the same numbers in %s, in the same order', async (name) => {
    const listNumbers = async (language: SiteLanguage) =>
      listMatches(removeTags(await readPage(language, name)), /\d[\d.]*\d|\d/g);
    expect(await listNumbers('de')).toEqual(await listNumbers('en'));
  });

  it('name the same cookies in the privacy policy', async () => {
    const listCode = async (language: SiteLanguage) =>
      listMatches(await readPage(language, 'privacy.html'), /<code>(.*?)<\/code>/g);
    expect(await listCode('de')).toEqual(await listCode('en'));
    expect(await listCode('en')).toHaveLength(11);
  });

  it('name the same menus on the landing page', async () => {
    const listMenus = async (language: SiteLanguage) =>
      listMatches(await readPage(language, 'index.html'), /<b(?: lang="en")?>(.*?)<\/b>/g);
    expect(await listMenus('de')).toEqual(await listMenus('en'));
    expect(await listMenus('en')).toContain('Add custom connector');
  });

  it('have a title and a description of their own on each page, which fit in search results', async () => {
    const pages = await Promise.all(
      siteLanguages.flatMap((language) => names.map((name) => readPage(language, name))),
    );
    const all = pages.map(readMetadata);
    for (const [title, description, previewTitle, previewDescription] of all) {
      expect(title).toContain('Words With Chat');
      expect(title?.length).toBeLessThanOrEqual(70);
      expect(description).toMatch(/^.{30,160}$/);
      expect(previewTitle).toMatch(/^.{10,70}$/);
      expect(previewDescription).toBe(description);
    }
    for (const index of [0, 1, 2])
      expect(new Set(all.map((metadata) => metadata[index])).size).toBe(names.length * siteLanguages.length);
  });
});

describe.each(siteLanguages)('the pages in the language %s', (language) => {
  /** Extracts an element, without what depends on the page. */
  const extract = (page: string, pattern: RegExp, name: string): string | undefined =>
    pattern
      .exec(page)?.[0]
      .replaceAll(' aria-current="page"', '')
      .replaceAll(`href="/${language}/#`, 'href="#')
      .replace(/(href="\/..\/)[a-z]*(" hreflang=)/, '$1$2')
      .replaceAll(name, '');

  it.each([
    ['header', /<header>.*<\/header>/s],
    ['footer', /<footer>.*<\/footer>/s],
  ])('have the same %s', async (element, pattern) => {
    const elements = await Promise.all(
      names.map(async (name) => extract(await readPage(language, name), pattern, name)),
    );
    expect(elements[0]).toContain(`</${element}>`);
    expect(new Set(elements).size).toBe(1);
  });

  it.each(names)(
    'mark %s as the current page wherever the header or the footer links to it',
    async (name) => {
      const page = await readPage(language, name);
      const path = pagePaths[name];
      const current = listMatches(page, /<a [^>]*?href="([^"]*)" aria-current="page"/g);
      expect(current).toEqual(path === undefined ? [] : [`/${language}/${path}`]);
    },
  );

  it.each(names)(
    'link from %s only to pages in this language, except to the other language',
    async (name) => {
      const page = await readPage(language, name);
      const links = listMatches(page, /<a ([^>]*)/g).filter((attributes) => !attributes.includes('hreflang'));
      const paths = links.flatMap((attributes) => listMatches(attributes, /href="(\/[^"#]*)/g));
      const others = paths.filter((path) => !path.startsWith(`/${language}/`));
      expect(paths.length).toBeGreaterThan(3);
      expect(new Set(others)).toEqual(
        new Set(
          name === 'index.html'
            ? ['/account', '/openapi.json', '/.well-known/oauth-authorization-server']
            : ['/account'],
        ),
      );
    },
  );

  it.each(names)('link from %s to the same page in the other language', async (name) => {
    const page = await readPage(language, name);
    const other = language === 'en' ? 'de' : 'en';
    const path = pagePaths[name] ?? '';
    expect(page).toContain(`<a href="/${other}/${path}" hreflang="${other}" lang="${other}">`);
  });

  it('have a keyboard on the play page in the order that is usual for the language', async () => {
    const keys = listMatches(await readPage(language, 'play.html'), /name="guess" value="(.)">\1</gi);
    expect(keys.join('')).toBe(
      language === 'en' ? 'qwertyuiopasdfghjklzxcvbnm' : 'qwertzuiopasdfghjklyxcvbnm',
    );
  });

  it('state their language, and have its quotation marks', async () => {
    for (const name of names) {
      const page = await readPage(language, name);
      expect(page).toContain(`<html lang="${language}">`);
      expect(removeTags(page)).not.toMatch(language === 'en' ? /[„"]/ : /[”"]/);
    }
  });
});
