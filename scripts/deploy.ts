/**
 * `npm run deploy`: checks the variables, lays out the site, bundles, migrates and uploads. With `-- --dry-run` it asks nobody
 * outside this machine, and says what it would do.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, sizeOf } from './app/bundle.ts';
import { runCommand } from './app/command.ts';
import { demandConfiguration } from './app/configuration.ts';
import { buildFolderOf, variablesFileOf } from './app/places.ts';
import { readVariables, type Variables } from './app/variables.ts';
import { deployedDomain } from './deploy/address.ts';
import { ask, run } from './deploy/run-wrangler.ts';
import {
  createDatabase,
  type Deployment,
  databaseName,
  listDatabases,
  migrate,
  upload,
} from './deploy/steps.ts';

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' } } });
  const variables = await readVariables(process.env);
  const built = await bundle(buildFolderOf(process.env), variables);
  console.log(`The bundle: ${sizeOf(built)}`);
  demandConfiguration(variables, variablesFileOf(process.env));
  const domain = deployedDomain(variables);
  await withSecretsFile(variables, async (secretsFile, secrets) => {
    const deployment = { domain, site: built.site, secretsFile, secrets };
    if (values['dry-run']) console.log(plan(deployment));
    else await deploy(deployment);
  });
};

const plan = (deployment: Deployment): string =>
  [
    'Nothing was sent. Without --dry-run this would:',
    ...[createDatabase(databaseName()), migrate, upload(deployment)].map(
      ({ says }, at) => `  ${at + 1}. ${says}`,
    ),
  ].join('\n');

const deploy = async (deployment: Deployment): Promise<void> => {
  const name = databaseName();
  if (!(await databaseNames()).includes(name)) await run(createDatabase(name).command);
  await run(migrate.command);
  await run(upload(deployment).command);
  console.log(`
Deployed. A new domain takes some minutes until it answers:
  curl https://${deployment.domain}/.well-known/oauth-authorization-server`);
};

const databaseNames = async (): Promise<readonly unknown[]> => {
  const answer: unknown = JSON.parse(await ask(listDatabases));
  return Array.isArray(answer) ? answer.map((database) => Object(database).name) : [];
};

/** What the Worker reads; the link to the GPT is in the site already. The file is gone when the work is done. */
const withSecretsFile = async (
  { GPT_URL: _, ...secrets }: Variables,
  work: (file: string, names: readonly string[]) => Promise<void>,
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'words-with-chat-secrets-'));
  try {
    const file = join(folder, 'secrets.json');
    await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    await work(file, Object.keys(secrets).sort());
  } finally {
    await rm(folder, { recursive: true });
  }
};

await runCommand(main);
