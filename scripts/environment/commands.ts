/** Defines the variables of the commands, the examples and the tests. */
import type { Variable, VariableGroup } from './variable.ts';

const all = ['`npm start`', '`npm run demo`'] as const;

/** The variables of the game's commands, besides those of a deployment. */
export const gameCommandGroup: VariableGroup = {
  title: "The game's commands",
  text:
    '`npm start`, `demo`, `setup`, `build`, `deploy` and `keys` also read the variables of a deployment from the ' +
    'environment. `keys` and `admin` also read those of the command `assistant-auth`.',
  page: 'game/commands.md',
  variables: [
    {
      ...{ name: 'PORT', default: '8787', readBy: [...all, '`npm run docs`'] },
      description: 'The port of the app on loopback. `npm run docs` uses 4173 by default.',
    },
    {
      ...{ name: 'FAKE_PROVIDER_PORT', default: 'the port after `PORT`', readBy: all },
      description: 'The first of five consecutive ports, one for each fake provider.',
    },
    {
      ...{
        name: 'LOCAL_DATA_FOLDER',
        default: '`.local`',
        readBy: [...all, '`npm run keys`', '`npm run admin`'],
      },
      description: 'The folder with the database, keys, site and logs of `npm start`.',
    },
    {
      name: 'VARIABLES_FILE',
      default: '`apps/words/.dev.vars`',
      readBy: ['`npm run setup`', '`build`', '`deploy`', '`keys`', '`npm start -- --origin …`'],
      description: 'The file with the variables of the deployment.',
    },
    {
      ...{
        name: 'BUILD_FOLDER',
        default: '`apps/words/dist`',
        readBy: ['`npm run build`', '`npm run deploy`'],
      },
      description: 'The folder for the bundle of the Worker and the site.',
    },
  ],
};

const keys = ['`keys`'] as const;
const remote = ['`--remote`'] as const;
const localAndRemote = ['`--local`', '`--remote`'] as const;

/** The variables of the command `assistant-auth`. `npm run keys` and `npm run admin` run the same code. */
export const cliGroup: VariableGroup & { readonly readByWrangler: readonly string[] } = {
  title: 'The command `assistant-auth`',
  text:
    '`npm run keys` and `npm run admin` of the game read the same variables. `--local` and `--remote` run Wrangler, ' +
    'which reads further variables, but never gets `SEALING_KEYS`.',
  page: 'reference/cli.md',
  variables: [
    {
      ...{
        name: 'SEALING_KEYS',
        default: 'none',
        readBy: keys,
        isSecret: true,
      },
      description:
        'The key ring that `keys` changes, lists, or derives keys from. If the last argument is `-`, `keys` reads the ' +
        'ring from standard input instead.',
    },
    {
      ...{ name: 'ORIGIN', default: 'none', readBy: ['`keys resource`'] },
      description: 'The issuer, if `--issuer` is not passed.',
    },
    {
      ...{ name: 'CLOUDFLARE_ENV', default: 'the top level of the file', readBy: localAndRemote },
      description: 'The environment of the Wrangler file.',
    },
    {
      ...{
        name: 'CLOUDFLARE_API_TOKEN',
        default: 'the login of `wrangler login`',
        readBy: remote,
        isSecret: true,
      },
      description: "A token for Cloudflare's API.",
    },
    {
      name: 'CLOUDFLARE_ACCOUNT_ID',
      default: 'the account that has the database',
      readBy: remote,
      description: 'The ID of the account, if the Wrangler file has no `account_id`.',
    },
    {
      name: 'CLOUDFLARE_API_BASE_URL',
      default: '`https://api.cloudflare.com/client/v4`',
      readBy: remote,
      description: "The https URL of another version of Cloudflare's API; http on loopback.",
    },
    {
      ...{ name: 'CLOUDFLARE_COMPLIANCE_REGION', default: 'none', readBy: remote },
      description: "Wrangler's compliance region. If it is set, `CLOUDFLARE_API_BASE_URL` is required.",
    },
    {
      ...{ name: 'WRANGLER_API_ENVIRONMENT', default: 'none', readBy: remote },
      description: "Wrangler's API environment. If it is set, `CLOUDFLARE_API_BASE_URL` is required.",
    },
    {
      ...{ name: 'WRANGLER_LOG', default: '`error`', readBy: ['`--local`'] },
      description: "The level of Wrangler's log.",
    },
  ],
  readByWrangler: ['CLOUDFLARE_ENV', 'CLOUDFLARE_API_TOKEN'],
};

/** The variables of one example, with its folder. */
export interface ExampleGroup extends VariableGroup {
  readonly folder: string;
}

const sealingKeys: Pick<Variable, 'name' | 'description'> & { required: true; isSecret: true } = {
  ...{ name: 'SEALING_KEYS', required: true, isSecret: true },
  description: 'The key ring. `npx assistant-auth keys` prints one.',
};

const issuer: Pick<Variable, 'name' | 'description'> & { required: true } = {
  ...{ name: 'ISSUER', required: true },
  description: 'The origin of the API, as users see it in the browser, such as `https://api.example`.',
};

const defineGoogle = (readBy: readonly string[]): readonly Variable[] => [
  {
    ...{ name: 'GOOGLE_CLIENT_ID', required: true, readBy },
    description:
      'The client ID of an OAuth client at Google with the redirect URI `<ISSUER>/callback/google`.',
  },
  {
    ...{ name: 'GOOGLE_CLIENT_SECRET', required: true, isSecret: true, readBy },
    description: 'Its client secret.',
  },
];

const server = ['`npm start`'] as const;
const deployed = ['the deployed Worker'] as const;
const pagesProject = ['the Pages project'] as const;
const development = ['`npm run dev`', '`api-client`', '`mcp-client`'] as const;

/** The variables of the tutorials and of the other examples. */
export const exampleGroups: readonly ExampleGroup[] = [
  {
    title: 'The tutorial on Node',
    folder: 'examples/node-express',
    page: 'get-started/node.md',
    text: '`npm run dev` reads the key ring from `.env`, and ignores `SEALING_KEYS` in the environment.',
    variables: [
      { ...issuer, readBy: server },
      { ...sealingKeys, readBy: [...server, '`npm run dev`'] },
      ...defineGoogle(server),
      {
        ...{ name: 'DATABASE_FILE', default: '`auth.db`', readBy: server },
        description: 'The path of the SQLite file, in a folder that exists.',
      },
      {
        ...{ name: 'PORT', default: '3000', readBy: [...server, ...development] },
        description: 'The port on which the server listens.',
      },
    ],
  },
  {
    title: 'The tutorial on Cloudflare Workers',
    folder: 'examples/workers-hono',
    page: 'get-started/workers.md',
    text:
      'A Worker gets variables from `vars` in `wrangler.jsonc`, from secrets (`npx wrangler secret put`) and, in ' +
      'development, from `.dev.vars`. `npm run dev` sets `ISSUER`, and ignores `SEALING_KEYS` in the environment.',
    variables: [
      { ...issuer, readBy: deployed },
      { ...sealingKeys, readBy: [...deployed, '`npm run dev`'] },
      ...defineGoogle(deployed),
      {
        ...{ name: 'PORT', default: '8787', readBy: development },
        description: 'The port of the development server.',
      },
    ],
  },
  {
    title: 'The Pages project',
    folder: 'examples/pages-middleware',
    page: 'guides/cloudflare-pages.md',
    variables: [
      { ...issuer, readBy: pagesProject },
      { ...sealingKeys, readBy: pagesProject },
      {
        ...{ name: 'GPT_CLIENT_SECRET', required: true, isSecret: true, readBy: pagesProject },
        description: 'At least 32 random characters, which you also enter in the GPT editor.',
      },
      ...defineGoogle(pagesProject),
      {
        ...{ name: 'GOOGLE_BASE_URL', default: '`https://accounts.google.com`', readBy: pagesProject },
        description: 'The origin of a fake Google on loopback, for tests.',
      },
    ],
  },
  {
    title: 'The API in another process',
    folder: 'examples/express-api',
    page: 'guides/api-in-another-process.md',
    variables: [
      {
        ...{ name: 'ISSUER', required: true, readBy: server },
        description: "The broker's origin.",
      },
      {
        ...{ name: 'RESOURCE', required: true, readBy: server },
        description: "The URL of this API, one of the broker's `resources`.",
      },
      {
        ...{ name: 'RESOURCE_KEYS', required: true, isSecret: true, readBy: server },
        description: 'The keys that `npx assistant-auth keys resource <RESOURCE> --issuer <ISSUER>` prints.',
      },
      {
        ...{ name: 'PORT', default: '3000', readBy: server },
        description: 'The port on which the server listens.',
      },
    ],
  },
];

const release = ['the release workflow'] as const;

/** The variables of the tests and of the release. */
export const maintenanceGroup: VariableGroup = {
  title: 'Tests and releases of this repository',
  text: 'GitHub Actions sets the variables of the release.',
  variables: [
    {
      ...{ name: 'CHROME_PATH', default: 'the first one in the usual places', readBy: ['the browser tests'] },
      description: 'The path of Chrome or Chromium.',
    },
    {
      ...{ name: 'GITHUB_REF', required: true, readBy: release },
      description: 'The tag that is released, such as `refs/tags/v1.0.0`.',
    },
    {
      ...{ name: 'GITHUB_REPOSITORY', required: true, readBy: release },
      description: 'The owner and the name of the repository.',
    },
    {
      ...{ name: 'GITHUB_SERVER_URL', required: true, readBy: release },
      description: 'The URL of GitHub.',
    },
  ],
};
