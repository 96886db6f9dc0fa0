/**
 * Defines the variables of a deployment of the game. `apps/words/.dev.vars.example` and a part of
 * `docs/reference/environment-variables.md` are generated from them.
 */
import type { ItemDefinition, Variable, VariableGroup } from './variable.ts';

/** A variable of a deployment. */
export type DeploymentVariable = Variable & {
  readonly readBy: readonly ('Worker' | 'site')[];
  /** The value in the example, where its line is commented out. Default: an empty line, to be filled in. */
  readonly sample?: string;
  /** The value is a JSON array of objects. */
  readonly items?: ItemDefinition;
};

type DeploymentGroup = VariableGroup<DeploymentVariable>;

const worker = { readBy: ['Worker'] } as const;
const site = { readBy: ['site'] } as const;
const workerAndSite = { readBy: ['Worker', 'site'] } as const;

const app: readonly DeploymentGroup[] = [
  {
    title: 'Origin',
    page: 'game/deploy.md',
    variables: [
      {
        ...{ name: 'ORIGIN', required: true, ...workerAndSite },
        description:
          'The origin of the app: https without a path, such as `https://words.example`, or http on loopback, ' +
          'such as `http://localhost:8787`. It is also the issuer, so changing it signs everyone out.',
      },
    ],
  },
  {
    title: 'Publisher',
    text: 'Who runs the app. The privacy policy and the terms contain both values, and error pages the address.',
    variables: [
      {
        ...{ name: 'PUBLISHER_NAME', required: 'unless `ORIGIN` is on loopback', ...workerAndSite },
        description: 'The name of a person or company, on one line, with at most 100 characters.',
      },
      {
        ...{ name: 'CONTACT_EMAIL', required: 'unless `ORIGIN` is on loopback', ...workerAndSite },
        description:
          'The email address at which users can reach the publisher. It must receive email, so it must not be at ' +
          '`example.com`, `example.net` or `example.org`.',
      },
    ],
  },
  {
    title: 'Keys and secrets',
    text: '`npm run setup` generates both.',
    page: 'guides/keys.md',
    variables: [
      {
        ...{ name: 'SEALING_KEYS', required: true, isSecret: true, ...worker },
        description:
          'The key ring: keys separated by spaces, as `npm run keys` prints them. The first key seals all ' +
          'tokens, and every key opens them. Without its keys, everyone is signed out.',
      },
      {
        ...{ name: 'DAILY_SECRET', required: true, isSecret: true, ...worker },
        description:
          'The secret that chooses the daily word: 43 characters of base64url, which are 32 random bytes. ' +
          "Anyone who knows it can compute the words of coming days. Changing it changes today's word.",
      },
    ],
  },
  {
    title: 'GPT',
    page: 'game/custom-gpt.md',
    variables: [
      {
        ...{ name: 'GPT_CLIENT_ID', required: true, ...worker },
        description:
          'The client ID that you enter in the GPT editor: 1 to 200 printable ASCII characters without spaces ' +
          'or colons.',
      },
      {
        ...{ name: 'GPT_CLIENT_SECRET', required: true, isSecret: true, ...worker },
        description:
          'The client secret that you enter in the GPT editor: at least 32 random characters ' +
          '(`openssl rand -base64 32`). While you replace it, set two secrets, the new one first, separated ' +
          'by a space. Both are valid then.',
      },
      {
        ...{ name: 'GPT_IDS', sample: '', default: 'any GPT whose owner knows the secret', ...worker },
        description: 'The IDs (`g-…`) of the GPTs that can use this client, separated by spaces.',
      },
      {
        ...{ name: 'GPT_URL', default: 'no button', ...site },
        description: 'The URL of the published GPT, for a second button on the landing page.',
        sample: 'https://chatgpt.com/g/g-68f0c2a1b4d8-words',
      },
    ],
  },
];

const forThisProvider = { required: 'for this provider' } as const;

const describeRedirectUri = (id: string): string =>
  `The redirect URI to register is \`ORIGIN/callback/${id}\`.`;

const providers: readonly DeploymentGroup[] = [
  {
    title: 'Google',
    text: `At least one provider is required, which need not be Google. ${describeRedirectUri('google')}`,
    page: 'guides/providers/google.md',
    variables: [
      {
        ...{ name: 'GOOGLE_CLIENT_ID', ...forThisProvider, ...worker },
        description: 'The client ID of the OAuth client.',
      },
      {
        ...{ name: 'GOOGLE_CLIENT_SECRET', ...forThisProvider, isSecret: true, ...worker },
        description: 'The client secret of the OAuth client.',
      },
    ],
  },
  {
    title: 'GitHub',
    text: describeRedirectUri('github'),
    page: 'guides/providers/github.md',
    variables: [
      {
        ...{ name: 'GITHUB_CLIENT_ID', sample: '', ...forThisProvider, ...worker },
        description: 'The client ID of the GitHub App or OAuth app.',
      },
      {
        ...{ name: 'GITHUB_CLIENT_SECRET', sample: '', ...forThisProvider, isSecret: true, ...worker },
        description: 'The client secret of the app.',
      },
    ],
  },
  {
    title: 'Microsoft',
    text: describeRedirectUri('microsoft'),
    page: 'guides/providers/microsoft.md',
    variables: [
      {
        ...{ name: 'MICROSOFT_CLIENT_ID', sample: '', ...forThisProvider, ...worker },
        description: 'The application (client) ID.',
      },
      {
        ...{ name: 'MICROSOFT_CLIENT_SECRET', sample: '', ...forThisProvider, isSecret: true, ...worker },
        description: 'The value (not the ID) of a client secret.',
      },
      {
        ...{ name: 'MICROSOFT_TENANT', sample: 'common', default: '`common`', ...worker },
        description:
          'Who can sign in: `common` (everyone), `organizations`, `consumers`, or the ID of a tenant.',
      },
    ],
  },
  {
    title: 'Apple',
    text: describeRedirectUri('apple'),
    page: 'guides/providers/apple.md',
    variables: [
      {
        ...{ name: 'APPLE_CLIENT_ID', sample: '', ...forThisProvider, ...worker },
        description: 'The Services ID.',
      },
      {
        ...{ name: 'APPLE_TEAM_ID', sample: '', ...forThisProvider, ...worker },
        description: 'The ID of the developer team: 10 uppercase letters and digits.',
      },
      {
        ...{ name: 'APPLE_KEY_ID', sample: '', ...forThisProvider, ...worker },
        description: 'The ID of the key for Sign in with Apple: 10 uppercase letters and digits.',
      },
      {
        ...{ name: 'APPLE_PRIVATE_KEY', sample: '', ...forThisProvider, isSecret: true, ...worker },
        description: "The content of the key's .p8 file on one line, with `\\n` for each line break.",
      },
    ],
  },
  {
    title: 'Other OpenID Connect issuers',
    text: describeRedirectUri('<id>'),
    page: 'guides/providers/openid-connect.md',
    variables: [
      {
        ...{ name: 'OIDC_PROVIDERS', default: 'none', isSecret: true, ...worker },
        description: 'Any number of OpenID Connect issuers, as a JSON array on one line.',
        sample:
          '[{"id":"acme","displayName":"Acme","issuer":"https://login.example.com","clientId":"…","clientSecret":"…"}]',
        items: {
          optionsOf: 'oidc',
          required: ['id', 'displayName', 'issuer', 'clientId', 'clientSecret'],
          optional: [
            ...['icon', 'scopes', 'authorizationParameters', 'accountSelection', 'offlineAccess', 'authTime'],
            ...['logoutEndsGrants', 'userInfo', 'tokenAuthMethod', 'nonce', 'pkce', 'discoveryUrl'],
          ],
          notes:
            'The ID is part of the redirect URI and of stored identities, so never change it. The display name is ' +
            'the text on the button, and the icon is the text of an SVG file.',
        },
      },
    ],
  },
];

const clientsAndAudit: readonly DeploymentGroup[] = [
  {
    title: 'Clients',
    page: 'guides/accepted-clients.md',
    variables: [
      {
        ...{ name: 'MCP_CLIENTS', sample: 'all', default: '`all`', ...worker },
        description:
          'How MCP clients that are not in `STATIC_CLIENTS` can connect: `metadata-documents` (the client ID is ' +
          'the URL of a metadata document), `registration` (they register themselves), `all` (both ways), or `none`.',
      },
      {
        ...{ name: 'STATIC_CLIENTS', default: 'none', isSecret: true, ...worker },
        description: 'Other clients, as a JSON array on one line.',
        sample:
          '[{"id":"my-app","name":"My app","redirectUris":["https://app.example/callback"],"offlineAccess":"always"}]',
        items: {
          optionsOf: 'staticClient',
          required: ['id', 'name', 'redirectUris'],
          optional: ['secrets', 'pkce', 'offlineAccess', 'scopes'],
          notes:
            'A client with `secrets` (one or two, each with at least 32 random characters) is confidential, and a ' +
            'client without is public. `offlineAccess` is `"always"`, or `"on-request"` (the default): only if the ' +
            'client requests the scope `offline_access`. Default for `scopes`: all scopes. A redirect URI on ' +
            '`http://127.0.0.1` or `http://localhost` matches any port. With `"pkce":"optional"`, a confidential ' +
            'client whose redirect URIs use https can omit PKCE for the API.',
        },
      },
    ],
  },
  {
    title: 'Audit log',
    variables: [
      {
        ...{ name: 'AUDIT_DAYS', sample: '90', default: '90', ...workerAndSite },
        description:
          'How many days the audit log is kept: a whole number from 1 to 400. The privacy policy contains it.',
      },
    ],
  },
];

const defineBaseUrl = (provider: string, port: number, realUrl: string): DeploymentVariable => ({
  ...{ name: `${provider.toUpperCase()}_BASE_URL`, default: `\`${realUrl}\``, ...worker },
  description: `The URL of a fake ${provider}: http on loopback, without a path.`,
  sample: `http://127.0.0.1:${port}`,
});

const fakeProviders: DeploymentGroup = {
  title: 'Fake providers',
  text: 'Only for development: `ORIGIN` must be on loopback. `npm start` sets them for the fake providers that it starts.',
  variables: [
    defineBaseUrl('Google', 8788, 'https://accounts.google.com'),
    defineBaseUrl('GitHub', 8789, 'https://github.com'),
    defineBaseUrl('Microsoft', 8790, 'https://login.microsoftonline.com'),
    defineBaseUrl('Apple', 8791, 'https://appleid.apple.com'),
  ],
};

/** All variables of a deployment, in the order of the example. */
export const deploymentGroups: readonly DeploymentGroup[] = [
  ...app,
  ...providers,
  ...clientsAndAudit,
  fakeProviders,
];

/** The names of all variables of a deployment. */
export const deploymentVariableNames: readonly string[] = deploymentGroups.flatMap(({ variables }) =>
  variables.map(({ name }) => name),
);
