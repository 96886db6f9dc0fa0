/**
 * `npm run deploy`: checks the variables, lays out the site, bundles, migrates and uploads. With `-- --dry-run` it asks nobody
 * outside this machine, and says what it would do.
 */
import { parseArgs } from 'node:util';
import { VariableError } from '../apps/words/src/config/variables.ts';
import { bundle, sizeOf } from './app/bundle.ts';
import { runCommand, showsHelp } from './app/command.ts';
import { demandConfiguration } from './app/configuration.ts';
import { exitWhenInterrupted } from './app/interrupted.ts';
import { buildFolderOf, variablesFileOf } from './app/places.ts';
import { readVariables } from './app/variables.ts';
import { deployedDomain } from './deploy/address.ts';
import { ask, run } from './deploy/run-wrangler.ts';
import { withSecretsFile } from './deploy/secrets-file.ts';
import {
  createDatabase,
  type Deployment,
  databaseName,
  listDatabases,
  migrate,
  upload,
} from './deploy/steps.ts';

const usage = `Write npm run deploy, or npm run deploy -- with
  --dry-run    builds, checks, says what it would do, and sends nothing`;

const main = async (): Promise<void> => {
  exitWhenInterrupted();
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' } } });
  const variables = await readVariables(process.env);
  const demandAll = (): void => demandConfiguration(variables, variablesFileOf(process.env));
  const built = await bundle(buildFolderOf(process.env), variables).catch((error: unknown) => {
    // The site stops at the first variable that it cannot use; a person wants to know of all.
    if (error instanceof VariableError) demandAll();
    throw error;
  });
  console.log(`The bundle: ${sizeOf(built)}`);
  demandAll();
  // What the Worker reads; the link to the GPT is in the site already.
  const { GPT_URL: _, ...secrets } = variables;
  const names = Object.keys(secrets).sort();
  const deployment = { domain: deployedDomain(variables), site: built.site, secrets: names };
  if (values['dry-run']) console.log(plan(deployment));
  else await withSecretsFile(secrets, (file) => deploy(deployment, file));
};

const plan = (deployment: Deployment): string =>
  [
    'Nothing was sent. Without --dry-run this would:',
    ...[createDatabase(databaseName()), migrate, upload(deployment)].map(
      ({ says }, at) => `  ${at + 1}. ${says}`,
    ),
  ].join('\n');

const deploy = async (deployment: Deployment, secretsFile: string): Promise<void> => {
  const name = databaseName();
  if (!(await databaseNames()).includes(name)) await run(createDatabase(name).command);
  await run(migrate.command);
  await run(upload(deployment).command(secretsFile));
  console.log(`
Deployed. A new domain takes some minutes until it answers:
  curl https://${deployment.domain}/.well-known/oauth-authorization-server`);
};

const databaseNames = async (): Promise<readonly unknown[]> => {
  const answer: unknown = JSON.parse(await ask(listDatabases));
  return Array.isArray(answer) ? answer.map((database) => Object(database).name) : [];
};

if (!showsHelp(usage)) await runCommand(main);
