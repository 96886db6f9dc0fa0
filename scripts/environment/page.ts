/** Renders the page `docs/reference/environment-variables.md`. */
import { relative } from 'node:path/posix';
import { renderTable, wrapProse } from '../docs/format.ts';
import { cliGroup, exampleGroups, gameCommandGroup, maintenanceGroup } from './commands.ts';
import { type DeploymentVariable, deploymentGroups } from './deployment.ts';
import { describeItems, type Variable, type VariableGroup } from './variable.ts';

/** Returns the Markdown of the page. */
export const renderVariablesPage = (): string => {
  const blocks = [
    '<!-- Generated from scripts/environment by `npm run docs:reference`. -->',
    '# Environment variables',
    ...introduction.map(wrap),
    ...renderGroup('##', cliGroup),
    '## The tutorials and examples',
    ...exampleGroups.flatMap((group) => renderGroup('###', group)),
    '## The game',
    ...game.map(wrap),
    ...deploymentGroups.flatMap((group) => renderGroup('###', group, renderItems(group))),
    ...renderGroup('##', gameCommandGroup),
    ...renderGroup('##', maintenanceGroup),
  ];
  return `${blocks.join('\n\n')}\n`;
};

const introduction = [
  'This page lists the environment variables of the command `assistant-auth`, of the tutorials and examples, and of ' +
    'the game.',
  'The packages themselves read no variables: your code passes values to their [options](options.md). So a project ' +
    'of your own has the variables that its code reads, under names of your choice.',
];

const game = [
  'The variables of a deployment are in `apps/words/.dev.vars`, which `npm run setup` creates from ' +
    '[`.dev.vars.example`](../../apps/words/.dev.vars.example), or in the environment, which takes precedence. An ' +
    'empty variable counts as not set. `npm run deploy` uploads them as secrets of the Worker, except `GPT_URL`. Plain ' +
    '`npm start` reads only the environment, has defaults for the required variables, and ignores `ORIGIN`. In the ' +
    'tables, *site* means that the static pages contain the value. `npm start`, `npm run build` and ' +
    '`npm run deploy` build them.',
  'The bindings `DB`, `ASSETS` and `LIMIT_…` are no variables. They are in ' +
    '[`wrangler.jsonc`](../../apps/words/wrangler.jsonc).',
];

/** Renders the heading, the text and the table of a group, and what follows. */
const renderGroup = (
  heading: '##' | '###',
  { title, text, page, variables }: VariableGroup,
  rest: readonly string[] = [],
): readonly string[] => {
  const paragraph = [text ?? [], page === undefined ? [] : renderLink(page)].flat().join(' ');
  return [
    `${heading} ${title}`,
    ...(paragraph === '' ? [] : [wrap(paragraph)]),
    renderTable(
      ['Variable', 'Description', 'Required or default', 'Secret', 'Read by'],
      variables.map(renderCells),
    ),
    ...rest,
  ];
};

const renderCells = (variable: Variable): readonly string[] => [
  `\`${variable.name}\``,
  variable.description,
  describeRequirement(variable),
  variable.isSecret === true ? 'yes' : 'no',
  variable.readBy.join(', '),
];

const describeRequirement = (variable: Variable): string => {
  if ('default' in variable) return variable.default;
  return variable.required === true ? '**required**' : `**required** ${variable.required}`;
};

/** Describes the variables that contain a JSON array. */
const renderItems = ({ variables }: VariableGroup<DeploymentVariable>): readonly string[] =>
  variables.flatMap(({ name, items, sample }) => {
    if (items === undefined) return [];
    const anchor = items.optionsOf.toLowerCase();
    const text = describeItems(items, `[Options](options.md#${anchor}) explains them.`);
    return [wrap(`\`${name}\`: ${text}`), `\`\`\`ini\n${name}=${sample}\n\`\`\``];
  });

/** Returns a link to a page in `docs`. */
const renderLink = (page: string): string => {
  const [folder = ''] = page.split('/');
  return `[${linkTexts[folder] ?? 'Guide'}](${relative('reference', page)}).`;
};

/** The texts of links to pages, by the folder of the page. Others are guides. */
const linkTexts: Readonly<Record<string, string>> = { 'get-started': 'Tutorial', reference: 'Reference' };

const wrap = (paragraph: string): string => wrapProse(paragraph, 100);
