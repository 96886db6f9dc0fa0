/** Builds the documentation site, checks all links between its pages, and uses it in a real Chromium. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openContext } from '../../conformance/browser/chromium.ts';
import { readIndex } from '../../scripts/docs/index-page.ts';
import { buildSite, type ServedSite, serveSite, siteOutput } from '../../scripts/docs/site.ts';
import { listSitePages, toSiteUrl } from '../../scripts/docs/site-pages.ts';

let site: ServedSite;
let chromium: Browser;

beforeAll(async () => {
  await buildSite();
  site = await serveSite(0);
  chromium = await launchChromium();
});

afterAll(async () => {
  await chromium.close();
  await site.close();
});

/** Returns the file that is served at a path, or `undefined`. */
const findFile = (path: string): string | undefined =>
  [`${path}index.html`, `${path}.html`, path]
    .map((file) => join(siteOutput, file))
    .find((file) => /\.\w+$/.test(file) && existsSync(file));

const readAttributes = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value);

it('contains every page of the repository that is for readers', () => {
  expect(listSitePages().filter((page) => findFile(toSiteUrl(page)) === undefined)).toEqual([]);
});

it('has a sidebar and a list for language models with the pages of the index', () => {
  const html = readFileSync(join(siteOutput, 'guides/keys.html'), 'utf8');
  const list = readFileSync(join(siteOutput, 'llms.txt'), 'utf8');
  const pages = readIndex().flatMap(({ groups }) => groups.flatMap((group) => group.pages));
  expect(pages.length).toBeGreaterThan(40);
  for (const { path } of pages) {
    expect(html).toContain(`href="${toSiteUrl(path)}"`);
    expect(list).toContain(`](${toSiteUrl(path)})`);
  }
});

it('has no link to a page or a heading that does not exist', () => {
  const files = readdirSync(siteOutput, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.html'),
  );
  const problems = files.flatMap((file) => {
    const html = readFileSync(join(siteOutput, file), 'utf8');
    return readAttributes(html, 'href').flatMap((href) => {
      const [, path = '', anchor] = /^([^#]*)(?:#(.*))?$/.exec(href) ?? [];
      if (/^(https:|mailto:|http:\/\/localhost:)/.test(path)) return [];
      const target = path === '' ? join(siteOutput, file) : findFile(path);
      if (target === undefined) return [`${file}: ${href} does not exist`];
      if (anchor === undefined || anchor === '') return [];
      const ids = readAttributes(readFileSync(target, 'utf8'), 'id');
      return ids.includes(decodeURIComponent(anchor)) ? [] : [`${file}: ${href} names no heading`];
    });
  });
  expect(problems).toEqual([]);
});

describe.each(['light', 'dark'] as const)('in a browser with a %s color scheme', (colorScheme) => {
  const open = async (path: string, use: (page: Page) => Promise<void>): Promise<void> => {
    const { context, pageErrors } = await openContext(chromium, { colorScheme });
    const page = await context.newPage();
    await page.goto(new URL(path, site.url).href);
    await use(page);
    expect(pageErrors).toEqual([]);
    await context.close();
  };

  it.each(['/', '/guides/chatgpt', '/reference/options', '/pages'])(
    '%s loads nothing from other hosts, and is accessible',
    async (path) => {
      await open(path, async (page) => {
        await page.locator('h1').first().waitFor();
        // The text of the search button contains the keyboard shortcut, and its label does not.
        const axe = new AxeBuilder({ page }).disableRules('label-content-name-mismatch');
        const { violations } = await axe.analyze();
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      });
    },
  );

  it('the search finds a page by its words', async () => {
    await open('/', async (page) => {
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('searchbox').fill('rotate a key');
      await page.getByRole('option').filter({ hasText: 'Rotate a key' }).first().click();
      await page.getByRole('heading', { name: 'Rotate a key' }).waitFor();
      expect(page.url()).toContain('/guides/keys');
    });
  });
});
