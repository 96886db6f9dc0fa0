/**
 * `npm run deploy`: checks the variables, builds the site and the bundle, applies the migrations and uploads.
 * With `-- --dry-run`, it sends no requests and prints what it would do.
 */
import { parseArgs } from 'node:util';
import { VariableError } from '../apps/words/src/config/variables.ts';
import { buildBundle, formatSize } from './app/bundle.ts';
import { printHelpIfRequested, runCommand } from './app/command.ts';
import { requireConfiguration } from './app/configuration.ts';
import { exitWhenInterrupted } from './app/interrupted.ts';
import { getBuildFolder, getVariablesFile } from './app/paths.ts';
import { readVariables } from './app/variables.ts';
import { readWranglerOutput, runWranglerInTerminal } from './app/wrangler.ts';
import { readDeploymentDomain } from './deploy/address.ts';
import { withSecretsFile } from './deploy/secrets-file.ts';
import {
  buildCreateDatabaseStep,
  buildUploadStep,
  type Deployment,
  listDatabasesCommand,
  migrateStep,
  readDatabaseName,
} from './deploy/steps.ts';

const usage = `Usage: npm run deploy [-- <options>]

Options:
  --dry-run    build and check, print what would be done, and send nothing`;

const main = async (): Promise<void> => {
  exitWhenInterrupted();
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' } } });
  const variables = await readVariables(process.env);
  const requireAllVariables = (): void => requireConfiguration(variables, getVariablesFile(process.env));
  const bundle = await buildBundle(getBuildFolder(process.env), variables).catch((error: unknown) => {
    // Building the site stops at the first wrong variable. This reports all of them.
    if (error instanceof VariableError) requireAllVariables();
    throw error;
  });
  console.log(`Bundle: ${formatSize(bundle)}`);
  requireAllVariables();
  // The variables that the Worker reads. The URL of the GPT is only used in the site.
  const { GPT_URL: _, ...secrets } = variables;
  const secretNames = Object.keys(secrets).sort();
  const deployment = { domain: readDeploymentDomain(variables), site: bundle.site, secretNames };
  if (values['dry-run']) console.log(describePlan(deployment));
  else await withSecretsFile(secrets, (file) => deploy(deployment, file));
};

const describePlan = (deployment: Deployment): string =>
  [
    'Nothing was sent. Without --dry-run, this command would:',
    ...[buildCreateDatabaseStep(readDatabaseName()), migrateStep, buildUploadStep(deployment)].map(
      ({ description }, index) => `  ${index + 1}. ${description}`,
    ),
  ].join('\n');

const deploy = async (deployment: Deployment, secretsFile: string): Promise<void> => {
  const name = readDatabaseName();
  if (!(await listDatabaseNames()).includes(name))
    await runWranglerInTerminal(buildCreateDatabaseStep(name).command);
  await runWranglerInTerminal(migrateStep.command);
  await runWranglerInTerminal(buildUploadStep(deployment).command(secretsFile));
  console.log(`
Deployed. A new domain takes a few minutes to become reachable:
  curl https://${deployment.domain}/.well-known/oauth-authorization-server`);
};

const listDatabaseNames = async (): Promise<readonly unknown[]> => {
  const databases: unknown = JSON.parse(await readWranglerOutput(listDatabasesCommand));
  return Array.isArray(databases) ? databases.map((database) => Object(database).name) : [];
};

if (!printHelpIfRequested(usage)) await runCommand(main);
