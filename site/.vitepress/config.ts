/** The documentation as a site: VitePress renders the Markdown pages of the repository. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { listRepositoryFiles } from '../../scripts/app/repository-files.ts';
import { readIndex } from '../../scripts/docs/index-page.ts';
import { renderLlms } from '../../scripts/docs/llms.ts';
import { siteLinks } from '../../scripts/docs/site-links.ts';
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
  vite: { publicDir: join(import.meta.dirname, '../public') },
  lastUpdated: false,
  markdown: {
    linkify: false,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: (text) => new GithubSlugger().slug(text) },
    languageAlias: { caddyfile: 'nginx' },
    config: (markdown) => siteLinks(markdown, pages),
  },
  buildEnd: ({ outDir }) => writeFileSync(join(outDir, 'llms.txt'), renderLlms(toSiteUrl)),
  themeConfig: {
    nav: [
      { text: 'Get started', link: '/get-started/workers' },
      { text: 'Guides', link: '/guides/chatgpt' },
      { text: 'Reference', link: '/reference/options' },
      { text: 'All pages', link: '/pages' },
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: false, next: false },
  },
});
