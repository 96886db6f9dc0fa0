/**
 * Tests sign-ins in a real Chromium as ChatGPT and Claude would start them, with metadata documents as these
 * vendors publish them. The documents are served by an injected `fetch`, because the tests use no network.
 */
import { createServer, type Server } from 'node:http';
import { createBroker, oidc } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { memoryStorage } from 'assistant-auth/memory';
import { toNodeHandler } from 'assistant-auth/node';
import { createFakeProvider } from 'assistant-auth/testing';
import { exportJWK, generateKeyPair } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  calculatePKCECodeChallenge,
  discovery,
  None,
  PrivateKeyJwt,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
} from 'openid-client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openContext } from './chromium.ts';

const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(publicKey)), kid: 'vendor-key', alg: 'RS256', use: 'sig' };
const jwksUri = 'https://chatgpt.com/oauth/jwks.json';

interface VendorClient {
  readonly name: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly authentication: ClientAuth;
  readonly facts: readonly string[];
}

const clients: readonly VendorClient[] = [
  {
    name: 'ChatGPT',
    clientId: 'https://chatgpt.com/oauth/IbUR3zxyNQ16/client.json',
    redirectUri: 'https://chatgpt.com/connector/oauth/IbUR3zxyNQ16',
    document: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg: 'RS256',
      jwks_uri: jwksUri,
    },
    authentication: PrivateKeyJwt({ key: privateKey, kid: key.kid }),
    facts: ['This app is identified by chatgpt.com.', 'You’ll return to chatgpt.com.'],
  },
  {
    name: 'Claude',
    clientId: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    redirectUri: 'https://claude.ai/api/mcp/auth_callback',
    document: { token_endpoint_auth_method: 'none' },
    authentication: None(),
    facts: ['This app is identified by claude.ai.', 'You’ll return to claude.ai.'],
  },
];

/** Serves the documents of the vendors, and nothing else. */
const fetchVendorDocument: typeof fetch = async (input) => {
  const url = input instanceof Request ? input.url : String(input);
  if (url === jwksUri) return Response.json({ keys: [key] });
  const client = clients.find(({ clientId }) => clientId === url);
  if (client === undefined) return new Response(null, { status: 404 });
  const { clientId, name, redirectUri, document } = client;
  return Response.json({
    ...{ client_id: clientId, client_name: name, redirect_uris: [redirectUri], response_types: ['code'] },
    grant_types: ['authorization_code', 'refresh_token'],
    ...document,
  });
};

const sealingKeys = `test-1.${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;

/** Starts a broker and its identity provider at one origin. */
const startBroker = async (): Promise<{ readonly origin: string; readonly server: Server }> => {
  let handle: ReturnType<typeof toNodeHandler> | undefined;
  const server = createServer((incoming, outgoing) => handle?.(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const origin = `http://127.0.0.1:${address.port}`;
  const credentials = { issuer: `${origin}/fake-provider`, clientId: 'broker', clientSecret: 'not-a-secret' };
  const provider = createFakeProvider(credentials);
  const broker = createBroker({
    issuer: origin,
    sealingKeys,
    scopes: { score: 'see and increase your score' },
    clients: [mcpClients({ fetch: fetchVendorDocument })],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...credentials })],
    fetch: provider.fetch,
    storage: memoryStorage(),
    account: accountPages(),
    branding: { name: 'Words With Chat' },
    log: () => {},
  });
  handle = toNodeHandler({
    ...broker,
    handle: async (request, options) => (await provider.handle(request)) ?? broker.handle(request, options),
  });
  return { origin, server };
};

let chromium: Browser;
let running: Awaited<ReturnType<typeof startBroker>>;

beforeAll(async () => {
  [chromium, running] = await Promise.all([launchChromium(), startBroker()]);
});

afterAll(async () => {
  await chromium.close();
  running.server.closeAllConnections();
  running.server.close();
});

describe('a sign-in that a vendor’s client started, in a browser', () => {
  it.each(clients)('as $name shows the vendor’s host, and returns to the vendor', async (client) => {
    const { clientId, name, redirectUri, authentication, facts } = client;
    const config = await discovery(new URL(running.origin), clientId, {}, authentication, {
      algorithm: 'oauth2',
      execute: [allowInsecureRequests],
    });
    const [pkceCodeVerifier, expectedState] = [randomPKCECodeVerifier(), randomState()];
    const url = buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'score',
      state: expectedState,
      resource: running.origin,
      ui_locales: 'de-DE',
      code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const { context, pageErrors } = await openContext(chromium);
    const page = await context.newPage();
    const vendorPage = page.waitForRequest((request) => request.url().startsWith(redirectUri));
    await page.route(`${redirectUri}*`, (route) => route.fulfill({ body: 'Back in the chat' }));
    await page.goto(url.href);

    const text = await page.locator('main').innerText();
    for (const fact of [
      `${name} wants access to your Words With Chat account. It will be able to:`,
      ...facts,
    ])
      expect(text).toContain(fact);
    expect(text).toContain('keep access for up to ');
    await page.getByRole('button', { name: 'Acme' }).click();
    await page.getByRole('button', { name: 'Ada Marlow' }).click();

    const callback = new URL((await vendorPage).url());
    expect(pageErrors).toEqual([`request to another machine: ${callback}`]);
    const tokens = await authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState });
    const refreshed = await refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed).toMatchObject({ token_type: 'bearer', scope: 'score' });
    await context.close();
  });
});
