/**
 * Tests that the definitions of environment variables match the code: each variable that code reads is
 * defined, and code reads each variable that is defined.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { staticClientsSchema } from '../../apps/words/src/config/clients.ts';
import { issuersSchema } from '../../apps/words/src/config/issuers.ts';
import { readConfig } from '../../apps/words/src/config.ts';
import { listRepositoryFiles } from '../app/repository-files.ts';
import { renderPage } from '../app/site.ts';
import { cliGroup, exampleGroups, gameCommandGroup, maintenanceGroup } from '../environment/commands.ts';
import {
  type DeploymentVariable,
  deploymentGroups,
  deploymentVariableNames,
} from '../environment/deployment.ts';
import { renderExampleFile } from '../environment/example-file.ts';
import { findNamesInCode, findNamesInScripts } from '../environment/find-names.ts';
import { renderVariablesPage } from '../environment/page.ts';
import type { VariableGroup } from '../environment/variable.ts';

const deploymentVariables: readonly DeploymentVariable[] = deploymentGroups.flatMap(
  ({ variables }) => variables,
);

/** Set by the system or by a tool, for every program. */
const systemVariables = ['PATH', 'HOME', 'VITEST_POOL_ID'];

const bindings = ['DB'];

const listNames = ({ variables }: VariableGroup): readonly string[] => variables.map(({ name }) => name);

/** Returns the names that the files read, which git patterns select. */
const findNames = (...patterns: readonly string[]): readonly string[] => {
  const names = listRepositoryFiles(...patterns).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return file.endsWith('package.json') ? findNamesInScripts(text) : findNamesInCode(text);
  });
  return [...new Set(names)].filter((name) => ![...bindings, ...systemVariables].includes(name)).sort();
};

type Variables = Readonly<Record<string, string>>;

/** Returns the names that `read` reads. */
const recordNames = (variables: Variables, read: (variables: Variables) => unknown): readonly string[] => {
  const names = new Set<string>();
  read(
    new Proxy(variables, {
      get: (target, name) => {
        names.add(String(name));
        return target[String(name)];
      },
    }),
  );
  return [...names].sort();
};

const listReadBy = (reader: 'Worker' | 'site'): readonly string[] =>
  deploymentVariables
    .filter(({ readBy }) => readBy.includes(reader))
    .map(({ name }) => name)
    .sort();

const secret = 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';

/** Without the built-in providers, so that the Worker looks for each of their variables. */
const variables = {
  ORIGIN: 'https://words.example',
  PUBLISHER_NAME: 'Example Games',
  CONTACT_EMAIL: 'help@words.example',
  SEALING_KEYS: `k1.${secret}`,
  DAILY_SECRET: secret,
  GPT_CLIENT_ID: 'words-gpt',
  GPT_CLIENT_SECRET: secret,
  OIDC_PROVIDERS: JSON.stringify([
    {
      ...{ id: 'acme', displayName: 'Acme', issuer: 'https://login.example' },
      ...{ clientId: 'words', clientSecret: secret },
    },
  ]),
};

describe('the variables of a deployment', () => {
  it('that the Worker reads are those that are defined for it', () => {
    expect(recordNames(variables, readConfig)).toEqual(listReadBy('Worker'));
  });

  it('that the site contains are those that are defined for it', () => {
    expect(recordNames(variables, (recorded) => renderPage('', 'en', recorded))).toEqual(listReadBy('site'));
  });

  it('are each defined once', () => {
    expect(new Set(deploymentVariableNames).size).toBe(deploymentVariableNames.length);
  });

  it.each([
    ['OIDC_PROVIDERS', issuersSchema.item.entries],
    ['STATIC_CLIENTS', staticClientsSchema.item.entries],
  ])('include %s, whose items have the members that the code accepts', (name, entries) => {
    const { required = [], optional = [] } =
      deploymentVariables.find((one) => one.name === name)?.items ?? {};
    const members = Object.entries(entries).map(([member, { type }]) => [member, type.includes('optional')]);
    expect(Object.fromEntries(members)).toEqual(
      Object.fromEntries([
        ...required.map((member) => [member, false]),
        ...optional.map((member) => [member, true]),
      ]),
    );
  });
});

describe('the example of a variables file', () => {
  const example = renderExampleFile();

  it('has one line for each variable, with an empty value or commented out', () => {
    const lines = [...example.matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm)];
    expect(lines.map(([, , name]) => name)).toEqual(deploymentVariableNames);
    const toFillIn = deploymentVariables.filter(({ sample }) => sample === undefined);
    expect(
      lines.flatMap(([, mark, name, value]) => (mark === undefined ? [`${name}=${value}`] : [])),
    ).toEqual(toFillIn.map(({ name }) => `${name}=`));
  });

  it('is a file that Node can read', () => {
    const toFillIn = deploymentVariables.filter(({ sample }) => sample === undefined);
    expect(parseEnv(example)).toEqual(Object.fromEntries(toFillIn.map(({ name }) => [name, ''])));
  });

  it('has samples that Node can read', () => {
    const uncommented = parseEnv(example.replaceAll(/^# (?=[A-Z][A-Z0-9_]*=)/gm, ''));
    const samples = deploymentVariables.map(({ name, sample = '' }) => [name, sample]);
    expect(uncommented).toEqual(Object.fromEntries(samples));
  });

  it('contains only comments of at most 110 characters', () => {
    const lines = example.split('\n').filter((line) => !/^(# )?[A-Z][A-Z0-9_]*=/.test(line));
    expect(lines.filter((line) => line.length > 110 || !/^(#|$)/.test(line))).toEqual([]);
  });
});

describe('the variables', () => {
  it('of the commands are those that the scripts read', () => {
    const found = findNames('scripts/*.ts', ':(exclude)scripts/test', ':(exclude)scripts/release');
    const commands = listNames(gameCommandGroup);
    expect(found.filter((name) => !deploymentVariableNames.includes(name))).toEqual([...commands].sort());
  });

  it('of the command assistant-auth are those that it reads, and those that Wrangler reads for it', () => {
    const found = findNames('packages/assistant-auth/src/cli/*.ts');
    expect([...found, ...cliGroup.readByWrangler].sort()).toEqual([...listNames(cliGroup)].sort());
  });

  it.each(exampleGroups)('of $folder are those that it reads', (group) => {
    const found = findNames(`${group.folder}/*.ts`, `${group.folder}/*.js`, `${group.folder}/package.json`);
    expect(found).toEqual([...listNames(group)].sort());
  });

  it('of every example are defined', () => {
    const folders = listRepositoryFiles('examples').map((file) => file.split('/').slice(0, 2).join('/'));
    expect([...new Set(folders)].sort()).toEqual(exampleGroups.map(({ folder }) => folder).sort());
  });

  it('of tests and releases are those that they read', () => {
    const found = findNames(
      ...[
        'conformance/*.ts',
        'test-packages/*.ts',
        'packages/lab/*.ts',
        'deploy/*.ts',
        'scripts/release/*.ts',
      ],
      ':(exclude)*.test.ts',
      ':(exclude)test-packages/programs',
    );
    expect(found).toEqual([...listNames(maintenanceGroup)].sort());
  });

  it('are all on the page', () => {
    const page = renderVariablesPage();
    const groups = [gameCommandGroup, cliGroup, ...exampleGroups, maintenanceGroup, ...deploymentGroups];
    const rows = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map(([, name]) => name);
    expect([...rows].sort()).toEqual(groups.flatMap(listNames).sort());
  });
});

describe('findNamesInCode', () => {
  it.each([
    ["const { PORT, ISSUER = '' } = process.env;", ['PORT', 'ISSUER']],
    ['const { GOOGLE_CLIENT_ID: clientId } = env;', ['GOOGLE_CLIENT_ID']],
    ['const read = ({ PORT }: NodeJS.ProcessEnv) => PORT;', ['PORT']],
    [
      'listen(process.env.PORT || 3000); start(env.ISSUER); use(environment.KEYS, process.env.PORT);',
      [...['PORT', 'ISSUER', 'KEYS']],
    ],
    ['const { port, Port, _PORT } = process.env; JSON.parse(Math.PI); // process.env.PORT', []],
  ])('finds the names in %j', (code, names) => {
    expect(findNamesInCode(code)).toEqual(names);
  });

  it('finds the names in scripts', () => {
    const port = '$' + '{PORT:-8787}';
    const scripts = `dev --port ${port} --var ISSUER:http://localhost:${port} $HOME --out $1`;
    expect(findNamesInScripts(scripts)).toEqual(['PORT', 'HOME']);
  });
});
