/** The options of `mcpClients`, and what the server metadata says about them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BrokerOptions, ConfigurationError } from '../../src/index.ts';
import { type McpClientsOptions, mcpClients } from '../../src/mcp-clients/index.ts';
import { clients, deploy, issuer } from '../deployment.ts';
import {
  buildDocument,
  createWeb,
  deployWith,
  documentRequest,
  documentUrl,
  obtainTokensFor,
} from './web.ts';

const readMetadata = async (options: McpClientsOptions = {}): Promise<Record<string, unknown>> => {
  const url = `${issuer}/.well-known/oauth-authorization-server`;
  return (await deployWith(createWeb(), options).fetch(new Request(url))).json();
};

const deployOptions =
  (options: object, changes: Partial<BrokerOptions> = {}) =>
  () =>
    deployWith(createWeb(), options, changes);

describe('the options of mcpClients', () => {
  it.each<[string, object, string, string]>([
    ['an unknown option', { scope: ['words'] }, 'mcpClients.scope', 'is not an option.'],
    [
      'neither documents nor registration',
      { metadataDocuments: false, registration: false },
      'mcpClients',
      'must allow metadataDocuments, registration, or both.',
    ],
    [
      'a scope that does not exist',
      { scopes: ['words', 'admin'] },
      'mcpClients.scopes',
      'must be declared in scopes: admin',
    ],
    [
      'no scope of the API',
      { scopes: ['offline_access'] },
      'mcpClients.scopes',
      'must contain a scope other than offline_access, and no scope with a space, comma, quote or backslash.',
    ],
    [
      'a default scope that these clients cannot have',
      { scopes: ['words'], defaultScopes: ['score'] },
      'mcpClients.defaultScopes',
      'must contain a scope other than offline_access, and only scopes of this client.',
    ],
  ])('refuse %s at startup', (_, options, option, problem) => {
    expect(deployOptions(options)).toThrow(new ConfigurationError(option, problem));
  });

  it.each([
    'http://app.example/callback',
    'https://app.example',
    'https://*.example/callback',
    'https://app.example/*/callback',
    'https://app.example/callback*',
    'javascript://app.example/x',
    'app.example:/*',
    'data:text/html,x',
    '*',
    '',
    7,
    undefined,
    {},
  ])('refuse the redirect URI %j at startup', (entry) => {
    expect(deployOptions({ redirectUris: [entry] })).toThrow(
      new ConfigurationError(
        'mcpClients.redirectUris',
        `must contain normalized https URIs, whose path can end in /*, or exact URIs with a private-use scheme: ${entry}`,
      ),
    );
  });

  it('refuse scopes of more than 1,500 characters at startup', () => {
    const names = Array.from({ length: 16 }, (_, index) => `${'x'.repeat(98)}${index}`);
    const scopes = {
      words: 'Play',
      score: 'See scores',
      ...Object.fromEntries(names.map((name) => [name, name])),
    };
    expect(deployOptions({ scopes: names }, { scopes })).toThrow(
      new ConfigurationError('mcpClients.scopes', 'must have at most 1500 characters in total.'),
    );
  });

  it('can occur only once', () => {
    const { fetch } = createWeb();
    const twice = [mcpClients({ fetch }), mcpClients({ fetch })];
    expect(() => deploy({ clients: [...clients, ...twice] })).toThrow(
      new ConfigurationError('clients', 'must contain mcpClients() only once.'),
    );
  });

  it('limit what these clients are granted', async () => {
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    const deployment = deployWith(web, { scopes: ['words', 'score'], defaultScopes: ['words'] });
    const { scope: _, ...request } = documentRequest;
    expect(await obtainTokensFor(deployment, request)).toMatchObject({ scope: 'words' });
    const narrow = deployWith(web, { scopes: ['words'] });
    const both = { ...documentRequest, scope: 'words score' };
    expect(await obtainTokensFor(narrow, both)).toMatchObject({ scope: 'words' });
  });

  it('make offline_access a scope, even if no other client can get refresh tokens', () => {
    expect(() => deploy({ clients: [mcpClients({ fetch: createWeb().fetch })] })).not.toThrow();
  });
});

describe('outside Workers and on Workers, mcpClients', () => {
  afterEach(() => vi.unstubAllGlobals());

  const deployWithoutFetch =
    (options: McpClientsOptions = {}) =>
    () =>
      deploy({ clients: [mcpClients(options)] });

  it('requires a fetch that refuses private addresses, unless it reads no documents', () => {
    vi.stubGlobal('navigator', { userAgent: 'Node.js/24' });
    expect(deployWithoutFetch()).toThrow(
      new ConfigurationError(
        'mcpClients.fetch',
        'must be a fetch that refuses private addresses, such as publicFetch of assistant-auth/node.',
      ),
    );
    expect(deployWithoutFetch({ metadataDocuments: false })).not.toThrow();
    vi.stubGlobal('navigator', undefined);
    expect(deployWithoutFetch()).toThrow(ConfigurationError);
  });

  it('requires the compatibility flag on Workers', () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' });
    const flagError = new ConfigurationError(
      'mcpClients',
      'requires the compatibility flag global_fetch_strictly_public, so that no client can choose a URL that reaches your origin server directly. Add the flag to compatibility_flags in the Wrangler file.',
    );
    for (const flags of [undefined, {}, { compatibilityFlags: { global_fetch_strictly_public: false } }]) {
      vi.stubGlobal('Cloudflare', flags);
      expect(deployWithoutFetch()).toThrow(flagError);
    }
    vi.stubGlobal('Cloudflare', { compatibilityFlags: { global_fetch_strictly_public: true } });
    expect(deployWithoutFetch()).not.toThrow();
  });
});

describe('the server metadata', () => {
  const algorithms = expect.arrayContaining(['RS256', 'ES256', 'EdDSA']);

  it('says that documents and registration are supported', async () => {
    expect(await readMetadata()).toMatchObject({
      client_id_metadata_document_supported: true,
      registration_endpoint: `${issuer}/register`,
      token_endpoint_auth_methods_supported: [
        ...['client_secret_post', 'client_secret_basic', 'none', 'private_key_jwt'],
      ],
      introspection_endpoint_auth_methods_supported: [
        'client_secret_post',
        'client_secret_basic',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    });
  });
});
