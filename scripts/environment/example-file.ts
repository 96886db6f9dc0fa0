/** Renders `apps/words/.dev.vars.example`, which publishers copy and fill in. */
import { wrapProse } from '../docs/format.ts';
import { type DeploymentVariable, deploymentGroups } from './deployment.ts';
import { describeItems, type VariableGroup } from './variable.ts';

/** Returns the content of the file. */
export const renderExampleFile = (): string =>
  `${[renderComment(introduction), ...deploymentGroups.map(renderGroup)].join('\n\n')}\n`;

const introduction = [
  'Every variable of the app. `npm run setup -- --origin https://words.example` copies this file to .dev.vars and ' +
    'generates keys and secrets. `npm run deploy` and `npm start -- --origin …` read .dev.vars. If a variable is ' +
    'missing, wrong or incomplete, they stop with an error message that names it.',
  'Plain `npm start` does not read .dev.vars. It has default values for the required variables. A variable in the ' +
    "environment replaces the default, for example `STATIC_CLIENTS='[…]' npm start`. The exception is ORIGIN, which " +
    "is always http://localhost with the port. If the environment sets a provider's variables, no fake provider " +
    'runs in place of that provider.',
  'scripts/environment/deployment.ts defines the variables. `npm run docs:reference` generates .dev.vars.example ' +
    'from it.',
];

/** A heading, then a comment and a line for each variable. */
const renderGroup = ({ title, text, page, variables }: VariableGroup<DeploymentVariable>): string => {
  const comment = [text ?? [], page === undefined ? [] : `See docs/${page}.`].flat().join(' ');
  const heading = comment === '' ? `## ${title}` : `## ${title}\n${renderComment([comment])}`;
  return [heading, ...variables.map(renderVariable)].join('\n\n');
};

const renderVariable = (variable: DeploymentVariable): string => {
  const { name, description, items, sample } = variable;
  const line = sample === undefined ? `${name}=` : `# ${name}=${sample}`;
  const facts = `${description} ${describeRequirement(variable)}`;
  const paragraphs = items === undefined ? [facts] : [facts, describeItems(items, optionsPage)];
  return `${renderComment(paragraphs)}\n${line}`;
};

const optionsPage = 'docs/reference/options.md explains them.';

const describeRequirement = (variable: DeploymentVariable): string => {
  const secret = variable.isSecret === true ? ' Secret.' : '';
  if ('default' in variable) return `Default: ${variable.default}.${secret}`;
  return `Required${variable.required === true ? '' : ` ${variable.required}`}.${secret}`;
};

/** Renders paragraphs. Only code with spaces keeps the backticks of Markdown. */
const renderComment = (paragraphs: readonly string[]): string =>
  paragraphs
    .map((paragraph) => wrapProse(paragraph.replaceAll(/`([^` ]+)`/g, '$1'), 108).replaceAll(/^/gm, '# '))
    .join('\n#\n');
