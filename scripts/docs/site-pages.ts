/** Which pages of the repository are on the documentation site, and where. */
import { listRepositoryFiles } from '../app/repository-files.ts';

/** The home page of the site, which is not in `docs`. */
const homePage = 'site/index.md';

/** Returns the paths of the pages, relative to the root of the repository. */
export const listSitePages = (): readonly string[] =>
  listRepositoryFiles(
    homePage,
    ':(glob)docs/**/*.md',
    'README.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ':(glob)packages/*/README.md',
    ':(glob)packages/*/CHANGELOG.md',
    ':(glob)examples/*/README.md',
    ':(glob)deploy/*/README.md',
  );

/** Returns the path of a page on the site, such as `guides/keys.md` for `docs/guides/keys.md`. */
export const toSitePath = (page: string): string => {
  if (page === homePage) return 'index.md';
  if (page === 'docs/README.md') return 'pages.md';
  if (page === 'README.md') return 'overview.md';
  return page
    .replace(/^docs\//, '')
    .replace(/(^|\/)([A-Z]+\.md)$/, (_, folder: string, name: string) => folder + name.toLowerCase())
    .replace(/\/readme\.md$/, '/index.md');
};

/** Returns the URL of a page on the site, such as `/guides/keys` or `/decisions/`. */
export const toSiteUrl = (page: string): string =>
  `/${toSitePath(page)}`.replace(/\/index\.md$/, '/').replace(/\.md$/, '');
