/** The documentation as a site: VitePress renders the Markdown pages of the repository. */
import GithubSlugger from 'github-slugger';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { listRepositoryFiles } from '../../scripts/app/repository-files.ts';
import { readIndex } from '../../scripts/docs/index-page.ts';
import { siteLinks } from '../../scripts/docs/site-links.ts';
import { listSitePages, toSitePath, toSiteUrl } from '../../scripts/docs/site-pages.ts';

const pages = listSitePages();
const otherPages = listRepositoryFiles('*.md').filter((file) => !pages.includes(file));

/** The sections of docs/README.md, with a group for each table that has a title. */
const sidebar = readIndex().map(({ title, groups }): DefaultTheme.SidebarItem => {
  const items = groups.map(({ title, pages }) => ({
    text: title,
    items: pages.map((page) => ({ text: page.title, link: toSiteUrl(page.path) })),
  }));
  return {
    text: title,
    collapsed: false,
    items: items.flatMap((group) => (group.text === '' ? group.items : [{ ...group, collapsed: false }])),
  };
});

export default defineConfig({
  title: 'assistant-auth',
  description: 'Sign-in for the MCP servers and APIs that AI assistants call',
  lang: 'en-US',
  srcDir: '..',
  srcExclude: [...otherPages, '**/dist/**'],
  rewrites: Object.fromEntries(pages.map((page) => [page, toSitePath(page)])),
  cleanUrls: true,
  lastUpdated: false,
  // Loads nothing from other hosts.
  head: [['meta', { name: 'theme-color', content: '#0b57d0' }]],
  markdown: {
    anchor: { slugify: (text) => new GithubSlugger().slug(text) },
    languageAlias: { caddyfile: 'nginx' },
    config: (markdown) => siteLinks(markdown, pages),
  },
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
