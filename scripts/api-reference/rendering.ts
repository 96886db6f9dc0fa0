/** Renders the API reference as Markdown: the options, categories, and an index at the top of each page. */
import {
  type Application,
  DeclarationReflection,
  PageEvent,
  type ProjectReflection,
  type Reflection,
  ReflectionCategory,
  ReflectionKind,
  type Renderer,
  type TypeDocOptions,
} from 'typedoc';
import { ModuleRouter, type PluginOptions } from 'typedoc-plugin-markdown';

/** The pages depend on the sources only: no dates, no versions, no line numbers. */
const output: Partial<TypeDocOptions> = {
  name: 'API reference',
  readme: 'none',
  router: 'page-per-module',
  disableSources: true,
  hideGenerator: true,
  githubPages: false,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  categorizeByGroup: false,
  groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases', 'Properties', 'Methods'],
  sortEntryPoints: false,
  sort: ['kind', 'source-order'],
  kindSortOrder: ['Function', 'Variable', 'Class', 'Interface', 'TypeAlias', 'Property', 'Method'],
};

const markdown: PluginOptions = {
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  // For exports whose names differ only in case.
  useHTMLAnchors: true,
  indexFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  parametersFormat: 'table',
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
    leftAlignHeaders: true,
  },
};

/** The options that determine how the pages look. */
export const renderingOptions: Partial<TypeDocOptions> & PluginOptions = { ...output, ...markdown };

/** Prepares the application for {@link renderingOptions}. */
export const prepareRenderer = ({ renderer }: Application): void => {
  renderer.defineRouter('page-per-module', PagePerModuleRouter);
  renderer.on(PageEvent.END, (page: PageEvent) => {
    if (!(page.model instanceof DeclarationReflection) || page.contents === undefined) return;
    const index = buildIndex(page.model, (target) => renderer.router?.getAnchor(target) ?? '');
    page.contents = breakLists(removeRepetitions(page.contents)).replace('\n## ', () => `\n${index}\n## `);
  });
};

/** Returns the page that contains a declaration, and its anchor there. Only while pages are rendered. */
export const findUrl = ({ router }: Renderer, target: Reflection): string => {
  const [page = ''] = (router?.getFullUrl(target) ?? '').split('#');
  const anchor = router?.getAnchor(target);
  return anchor === undefined ? page : `${page}#${anchor}`;
};

/**
 * The categories of a long page, in their order, and the source files whose exports they contain. A title
 * must not be the name of an export, whose heading would have the same anchor.
 */
const categories: readonly (readonly [title: string, files: RegExp])[] = [
  ['Creating a broker', /^src\/(?!clients|providers|ui|limits|storage|oauth)/],
  ['Registering clients', /^src\/(clients\/|oauth\/redirect-uri)/],
  ['Identity providers', /^src\/providers\//],
  ['Page templates', /^src\/ui\//],
  ['Rate limits', /^src\/limits\//],
  ['Storage', /^src\/storage\//],
  ['Basic types', /^src\/oauth\//],
];

/** Pages with fewer exports are divided by kind instead. */
const minCategorized = 40;

/**
 * Divides long pages into categories. Each begins with its functions; types are in the order of the source.
 */
export const categorize = (project: ProjectReflection): void => {
  for (const module of project.children ?? []) {
    if (module.children === undefined || module.children.length < minCategorized) continue;
    const found = categories.map(([title, files]) => ({ category: new ReflectionCategory(title), files }));
    for (const child of module.children.toSorted(compareInCategory)) {
      const { packagePath = '' } = project.getSymbolIdFromReflection(child) ?? {};
      const { category } = found.find(({ files }) => files.test(packagePath)) ?? {};
      if (category === undefined) throw new Error(`no category contains ${child.name} in ${packagePath}`);
      category.children.push(child);
    }
    module.categories = found.map(({ category }) => category).filter(({ children }) => children.length > 0);
    // Anchors of exports whose names differ only in case are numbered in this order.
    module.children = found
      .flatMap(({ category }) => category.children)
      .filter((child) => child.isDeclaration());
  }
};

const compareInCategory = (one: DeclarationReflection, other: DeclarationReflection): number =>
  Number(isType(one)) - Number(isType(other)) || comparePositions(one, other);

const isType = ({ kind }: DeclarationReflection): boolean =>
  kind === ReflectionKind.Interface || kind === ReflectionKind.TypeAlias;

const comparePositions = (one: DeclarationReflection, other: DeclarationReflection): number => {
  const [first, second] = [one, other].map((child) => child.project.getSymbolIdFromReflection(child));
  if (first === undefined || second === undefined) return 0;
  return first.packagePath.localeCompare(second.packagePath) || first.pos - second.pos;
};

/** Builds the list of links to the exports of a module. */
const buildIndex = (
  { categories, groups = [] }: DeclarationReflection,
  getAnchor: (target: Reflection) => string,
): string =>
  (categories ?? groups)
    .map(({ title, children }) => {
      const links = children.map((child) => `[\`${child.name}\`](#${getAnchor(child)})`);
      return `- **${title}**: ${links.join(', ')}\n`;
    })
    .join('');

/**
 * Removes what repeats: the code block of each variant of a union, which the code block of the union
 * contains, and where a member is inherited from.
 */
const removeRepetitions = (contents: string): string =>
  contents
    .replaceAll(/#+ Type Literal\n\n```ts\n[^`]*```\n\n/g, '')
    .replaceAll(/#+ Inherited from\n\n.*\n\n?/g, '');

/** Begins a new line for each item of a list within a table, where the plugin puts everything on one line. */
const breakLists = (contents: string): string =>
  contents.replaceAll(/^\|.*$/gm, (row) => row.replaceAll(/(?<=[.:]) - (?=`)/g, '<br>- '));

/**
 * Writes one page per module. Without this, a type `Account` in `assistant-auth` reserves the file name of
 * the module `assistant-auth/account`, although types have no pages.
 */
class PagePerModuleRouter extends ModuleRouter {
  protected override getFileName(baseName: string): string {
    return `${baseName}${this.extension}`;
  }
}
