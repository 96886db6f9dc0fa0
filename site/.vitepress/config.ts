/** The documentation as a site: VitePress renders the Markdown pages of the repository. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { listRepositoryFiles } from '../../scripts/app/repository-files.ts';
import { readIndex } from '../../scripts/docs/index-page.ts';
import { renderLlms } from '../../scripts/docs/llms.ts';
import { labelCells, siteLinks } from '../../scripts/docs/site-links.ts';
import { listSitePages, toSitePath, toSiteUrl } from '../../scripts/docs/site-pages.ts';

const pages = listSitePages();
const otherPages = listRepositoryFiles('*.md').filter((file) => !pages.includes(file));

/** The sections of docs/README.md, with a group for each table that has a title. */
const sidebar = readIndex().map(({ title, groups }): DefaultTheme.SidebarItem => {
  const items = groups.flatMap((group): readonly DefaultTheme.SidebarItem[] => {
    const pages = group.pages.map((page) => ({ text: page.title, link: toSiteUrl(page.path) }));
    return group.title === '' ? pages : [{ text: group.title, items: pages }];
  });
  return { text: title, items: [...items] };
});

export default defineConfig({
  title: 'assistant-auth',
  description: 'Sign-in for the MCP servers and APIs that AI assistants call',
  lang: 'en-US',
  srcDir: '..',
  srcExclude: [...otherPages, '**/dist/**'],
  rewrites: Object.fromEntries(pages.map((page) => [page, toSitePath(page)])),
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: '/icon.svg' }]],
  vite: {
    publicDir: join(import.meta.dirname, '../public'),
    esbuild: { tsconfigRaw: '{}' }, // its version does not know the target of this repository
  },
  // The tables of reference pages need the width of the outline.
  transformPageData: ({ relativePath, frontmatter }) =>
    relativePath.startsWith('reference/') ? { frontmatter: { ...frontmatter, aside: false } } : undefined,
  lastUpdated: false,
  markdown: {
    linkify: false,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: (text) => new GithubSlugger().slug(text) },
    languageAlias: { caddyfile: 'nginx' },
    config: (markdown) => {
      siteLinks(markdown, pages);
      labelCells(markdown);
    },
  },
  buildEnd: ({ outDir }) => writeFileSync(join(outDir, 'llms.txt'), renderLlms(toSiteUrl)),
  themeConfig: {
    nav: [
      { text: 'Overview', link: '/overview' },
      { text: 'Get started', link: '/get-started/workers' },
      { text: 'Guides', link: '/guides/chatgpt' },
      { text: 'Reference', link: '/reference/options' },
      { text: 'All pages', link: '/pages' },
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        miniSearch: {
          options: {
            // Words that are on every page find nothing.
            processTerm: (term: string) =>
              /^(a|an|and|can|do|for|how|i|in|is|it|my|of|on|or|the|to|with)$/i.test(term)
                ? null
                : term.toLowerCase(),
          },
          searchOptions: {
            // Guides come before the API reference and the decisions.
            boostDocument: (id: string) => (/^\/(reference\/api|decisions)\//.test(id) ? 0.3 : 1),
          },
        },
      },
    },
    docFooter: { prev: false, next: false },
  },
});
