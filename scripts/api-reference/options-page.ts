/** Renders `docs/reference/options.md`: the options of all public functions, in the order of their use. */
import GithubSlugger from 'github-slugger';
import { DeclarationReflection, type ProjectReflection } from 'typedoc';
import { renderTable, wrapProse } from '../docs/format.ts';
import { formatOptionType, type GetUrl, readFirstSentence, readOptionText } from './option-texts.ts';
import {
  type Option,
  type OptionModel,
  type OptionParameter,
  type OptionTable,
  type PublicFunction,
  readOptionModel,
} from './option-types.ts';

/** For each title, the functions of each section. Several functions in one section have the same options. */
type SectionNames = readonly (readonly [title: string, sections: readonly (readonly string[])[]])[];

/** The sections of the page. */
const publicSections: SectionNames = [
  ['The broker', [['createBroker'], ['pageLanguages'], ['accountPages'], ['memoryLimiter']]],
  ['Clients', [['mcpClients'], ['gptAction'], ['staticClient'], ['introspectionClient']]],
  ['Providers', [['google'], ['github'], ['microsoft'], ['apple'], ['oidc'], ['oauth2']]],
  ['Requests', [['broker.handle'], ['toNodeHandler'], ['broker.protect', 'resourceServer.protect']]],
  ['An API in another process', [['createResourceServer'], ['deriveResourceKeys']]],
  [
    'Operations',
    [
      ['defineOperation'],
      ['createHttpHandler', 'createHttpRoutes'],
      ['mcpHandler'],
      ['createOpenApiDocument'],
    ],
  ],
  ['Sealing your own data', [['createSealer']]],
  ['Tests', [['createFakeProvider'], ['createEmulatedClient'], ['emulateGptAction'], ['createBrowser']]],
];

/** Parameters with these types are values, not options. */
const valueTypes = ['Problem', 'SignInModel', 'SqlDatabase', 'Texts'];

interface Section {
  /** All have the same options. */
  readonly functions: readonly [PublicFunction, ...PublicFunction[]];
  readonly parameters: readonly OptionParameter[];
}

interface Group {
  readonly title: string;
  readonly sections: readonly Section[];
}

/** The options of the public API. */
export interface OptionsPage {
  /**
   * What is wrong with it: a line for each function that has no section, and each option without a default.
   */
  readonly problems: readonly string[];
  /** @param getUrl returns the URL of a declaration, relative to the page */
  readonly render: (getUrl: GetUrl) => string;
}

/**
 * Reads the options.
 * @param names the sections. Default: those of the packages
 */
export const readOptionsPage = (
  project: ProjectReflection,
  names: SectionNames = publicSections,
): OptionsPage => {
  const model = readOptionModel(project, valueTypes);
  const groups = names.map(([title, sections]) => ({
    title,
    sections: sections.flatMap((functions) => findSection(model, functions)),
  }));
  const sections = groups.flatMap((group) => group.sections);
  return {
    problems: [
      ...findSectionProblems(
        model,
        names.flatMap(([, listed]) => listed.flat()),
      ),
      ...sections.flatMap((section) => findDifferentOptions(model, section)),
      ...new Set(sections.flatMap((section) => findMissingDefaults(model, section))),
    ],
    render: (getUrl) =>
      renderPage(
        [...groups.flatMap((group) => buildGroup(model, group)), buildOtherFunctions(model)],
        getUrl,
      ),
  };
};

/** Finds the functions with options that have no section, and the sections without a function. */
const findSectionProblems = (model: OptionModel, listed: readonly string[]): readonly string[] => {
  const all = [...model.functions, ...model.methods];
  const hasOptions = (one: PublicFunction): boolean =>
    model.findOptionParameters(one).length > 0 ||
    (one.signature.parameters ?? []).some(({ name }) => name === 'options');
  return [
    ...listed
      .filter((name) => !all.some((one) => one.name === name))
      .map((name) => `The page of options has a section for ${name}, which is not a public function`),
    ...all
      .filter((one) => hasOptions(one) && !listed.includes(one.name))
      .map(({ name }) => `The page of options has no section for ${name}`),
  ];
};

const findSection = (model: OptionModel, names: readonly string[]): readonly Section[] => {
  const all = [...model.functions, ...model.methods];
  const [first, ...others] = names.flatMap((name) => all.find((one) => one.name === name) ?? []);
  return first === undefined
    ? []
    : [{ functions: [first, ...others], parameters: model.findOptionParameters(first) }];
};

/** Finds the functions whose options are not those of the first function in their section. */
const findDifferentOptions = (model: OptionModel, { functions, parameters }: Section): readonly string[] =>
  functions
    .filter((one) => {
      const types = model.findOptionParameters(one).map(({ type }) => type);
      return types.length === 0 || types.some((type, index) => type !== parameters[index]?.type);
    })
    .map(({ name }) => `The page of options shows no options for ${name}, or those of another function`);

/** Finds the options whose docstring does not say what applies without them. */
const findMissingDefaults = (model: OptionModel, { parameters }: Section): readonly string[] =>
  parameters
    .flatMap((parameter) => model.buildTables(parameter))
    .flatMap(({ options }) => options)
    .filter((option) => !option.isRequired && readOptionText(option.reflection, () => '').default === '')
    .map(
      ({ reflection }) => `${reflection.getFriendlyFullName()} is optional, but its docstring has no default`,
    );

/** A heading of the page and what is below it. */
interface Block {
  readonly level: 2 | 3 | 4;
  readonly title: string;
  /** The type whose options are below this heading. */
  readonly type?: DeclarationReflection;
  readonly render: (getUrl: GetUrl) => readonly string[];
}

const renderPage = (blocks: readonly Block[], getUrl: GetUrl): string => {
  const slugger = new GithubSlugger();
  const titled = blocks.map((block) => ({ ...block, anchor: `#${slugger.slug(block.title)}` }));
  const getUrlOnPage: GetUrl = (target) =>
    titled.find(({ type }) => type === target)?.anchor ?? getUrl(target);
  const index = titled
    .filter(({ level }) => level < 4)
    .map(({ level, title, anchor }) => `${level === 2 ? '- ' : '  '}[${title}](${anchor})`)
    .join('\n')
    // A group ends with a colon, and a section with a comma if another one follows.
    .replaceAll(/^(- .*)(?=\n {2})/gm, '$1:')
    .replaceAll(/^( {2}.*)(?=\n {2})/gm, '$1,');
  const sections = titled.flatMap(({ level, title, render }) => [
    `${'#'.repeat(level)} ${title}`,
    ...render(getUrlOnPage).map((text) => (text.startsWith('|') ? text : wrapProse(text, 100))),
  ]);
  return `${[introduction, index, ...sections].join('\n\n')}\n`;
};

const introduction = `<!-- Generated from the docstrings in packages/*/src by \`npm run docs:reference\`. -->

# Options

This page lists all options of the packages, with their defaults.

${wrapProse(
  'The descriptions are short. The name of an option links to its full description in the [API ' +
    'reference](api/README.md), which has the details and the warnings. **required** means that the option must be ' +
    'set; if it is a member of another option, only if that one is set.',
  100,
)}`;

const buildGroup = (model: OptionModel, { title, sections }: Group): readonly Block[] => {
  const shared = findSharedTypes(sections);
  return [
    { level: 2, title, render: () => [] },
    ...sections.flatMap((section) => buildSection(model, section, shared)),
    ...shared.map((type) => buildSharedOptions(type, sections)),
  ];
};

const buildOtherFunctions = (model: OptionModel): Block => ({
  ...{ level: 2, title: 'Functions without options' },
  render: (getUrl) => {
    const functions = model.functions.filter((one) => model.findOptionParameters(one).length === 0);
    const rows = functions.map((one) => [
      formatCall(one, getUrl),
      `\`${one.module}\``,
      readFirstSentence(one.reflection, getUrl),
    ]);
    return [renderTable(['Function', 'Module', 'Description'], rows)];
  },
});

/** Returns the types that the options of several sections extend. */
const findSharedTypes = (sections: readonly Section[]): readonly DeclarationReflection[] => {
  const bases = sections.flatMap(({ parameters }) => [...new Set(parameters.flatMap(listBases))]);
  return [...new Set(bases.filter((base, index) => bases.indexOf(base) < index))];
};

const listBases = ({ type }: OptionParameter): readonly DeclarationReflection[] =>
  (type.children ?? []).flatMap((option) => findBase(option) ?? []);

/** Returns the type that a member is inherited from. */
const findBase = ({ inheritedFrom }: DeclarationReflection): DeclarationReflection | undefined => {
  const parent = inheritedFrom?.reflection?.parent;
  return parent instanceof DeclarationReflection ? parent : undefined;
};

const buildSharedOptions = (type: DeclarationReflection, sections: readonly Section[]): Block => {
  const users = sections.filter(({ parameters }) => parameters.flatMap(listBases).includes(type));
  const options = (type.children ?? []).map((reflection) => ({
    ...{ path: reflection.name, reflection },
    isRequired: !reflection.flags.isOptional,
  }));
  return {
    ...{ level: 3, type, title: `Options of ${users.map(formatName).join(' and ')}` },
    render: (getUrl) => [readFirstSentence(type, getUrl), renderOptions(options, getUrl)],
  };
};

const buildSection = (
  model: OptionModel,
  section: Section,
  shared: readonly DeclarationReflection[],
): readonly Block[] => {
  const { functions, parameters } = section;
  const name = formatName(section);
  const tables = parameters.flatMap((parameter) => {
    const [first, ...nested] = model.buildTables(parameter);
    // If several parameters have options, each table has a heading.
    const path = parameters.length > 1 ? parameter.parameter : '';
    return first === undefined ? [] : [{ ...first, path }, ...nested];
  });
  const [main] = tables.filter(({ path }) => path === '');
  const inherited = shared.filter((type) => parameters.flatMap(listBases).includes(type));
  const isOwn = ({ reflection }: Option): boolean => !inherited.some((type) => type === findBase(reflection));
  const renderMain = (getUrl: GetUrl): readonly string[] => [
    ...functions.map((one) => describeFunction(model, one, getUrl)),
    ...inherited.map((type) => `It also takes [these options](${getUrl(type)}).`),
    ...(main === undefined ? [] : [renderOptions(main.options.filter(isOwn), getUrl)]),
  ];
  return [
    { level: 3, title: name, ...(main && { type: main.type }), render: renderMain },
    ...tables.filter((table) => table !== main).map((table) => buildNestedOptions(table, name)),
  ];
};

const buildNestedOptions = ({ type, path, options }: OptionTable, name: string): Block => ({
  ...{ level: 4, type, title: `\`${path}\` of ${name}` },
  render: (getUrl) => [readFirstSentence(type, getUrl), renderOptions(options, getUrl)],
});

const formatName = ({ functions }: Section): string =>
  functions.map(({ name }) => `\`${name}()\``).join(' and ');

const formatCall = ({ name, reflection, signature }: PublicFunction, getUrl: GetUrl): string => {
  const parameters = (signature.parameters ?? []).map((parameter) => parameter.name);
  return `[\`${name}(${parameters.join(', ')})\`](${getUrl(reflection)})`;
};

/**
 * Returns a sentence such as "`createBroker(options)` of `assistant-auth` creates the broker of one
 * deployment."
 */
const describeFunction = (model: OptionModel, one: PublicFunction, getUrl: GetUrl): string => {
  const origin = model.functions.includes(one) ? ` of \`${one.module}\`` : '';
  const sentence = readFirstSentence(one.reflection, getUrl);
  const omitted = model.findOptionParameters(one).flatMap((parameter) => parameter.omitted);
  const exception = omitted.map((option) => ` It does not take \`${option}\`.`).join('');
  return `${formatCall(one, getUrl)}${origin} ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}${exception}`;
};

const renderOptions = (options: readonly Option[], getUrl: GetUrl): string =>
  renderTable(
    ['Option', 'Type', 'Default', 'Description'],
    options.map(({ path, reflection, isRequired }) => {
      const text = readOptionText(reflection, getUrl);
      return [
        `[\`${path}\`](${getUrl(reflection)})`,
        formatOptionType(reflection, getUrl),
        isRequired ? '**required**' : text.default,
        text.description,
      ];
    }),
  );
