/** The worked example of docs/providers.md: it stands there as it is tested here, and it works. */
import { exportPKCS8, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import page from '../../../../docs/providers.md?raw';
import { apple, github, google, type IdentityProvider, microsoft, oidc } from '../../src/index.ts';
import { discord } from './discord.ts';
import source from './discord.ts?raw';
import {
  callback,
  captureProviderError,
  challenge,
  clientId,
  clientSecret,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createServer } from './hostile-server.ts';

const addresses = {
  token: 'https://discord.com/api/oauth2/token',
  profile: 'https://discord.com/api/v10/users/@me',
};
const nelly = { id: '80351110224678912', username: 'nelly', global_name: 'Nelly', verified: true };

const setUp = () => {
  const server = createServer(addresses, nelly);
  const provider = discord({ clientId, clientSecret });
  return {
    server,
    provider,
    handleCallback: (answer = callback()) => provider.handleCallback(answer, upstreamRequest, server.io),
  };
};

describe('the page about providers', () => {
  test('shows the example as it is tested', () => {
    const shown = source
      .replace(/^\/\*\*.*\n/, '')
      .replace("'../../src/index.ts'", "'assistant-auth'")
      .trim();
    expect(page).toContain(`\`\`\`ts\n${shown}\n\`\`\``);
    expect(source.split('\n').length).toBeLessThan(50);
  });

  test('lists the errors that mean revoked for each provider', async () => {
    const settings = { clientId, clientSecret };
    const key = { teamId: 'ABCDE12345', keyId: 'FGHIJ67890', privateKey: await applesKey() };
    const issuer = oidc({ ...settings, id: 'acme', displayName: 'any issuer', issuer: 'https://id.example' });
    const providers: readonly IdentityProvider[] = [
      ...[google(settings), github(settings), microsoft(settings), apple({ ...settings, ...key })],
      ...[issuer, discord(settings)],
    ];
    for (const { displayName, revokedErrors } of providers) {
      const row = `| ${displayName} | ${revokedErrors.map((code) => `\`${code}\``).join(', ')} |`;
      expect(page.toLowerCase()).toContain(row.toLowerCase());
    }
  });
});

describe('discord', () => {
  test('asks who somebody is, and for nothing else', async () => {
    const { provider, server } = setUp();
    const url = await provider.authorizationUrl(upstreamRequest, server.io);
    expect(url.origin + url.pathname).toBe('https://discord.com/oauth2/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: upstreamRequest.redirectUri,
      scope: 'identify',
      state: upstreamRequest.state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
  });

  test('knows a person by the snowflake, whatever they are called', async () => {
    const { server, handleCallback } = setUp();
    server.overrideTokens({ refresh_token: 'their-refresh-token' });
    expect(await handleCallback(callback({ iss: 'https://discord.com' }))).toEqual({
      provider: 'discord',
      subject: '80351110224678912',
      label: 'Nelly',
      emailVerified: false,
      refreshToken: 'their-refresh-token',
      claims: nelly,
    });
    server.overrideProfile({ global_name: null, username: 'nelly.2' });
    expect(await handleCallback()).toMatchObject({ subject: '80351110224678912', label: 'nelly.2' });
  });

  test.each([undefined, null, 80_351_110_224_678_912, '', 'nelly', '-80351110224678912', '1'.repeat(21)])(
    'knows nobody by the id %j',
    async (id) => {
      const { server, handleCallback } = setUp();
      server.overrideProfile({ id });
      expect(await captureProviderError(handleCallback())).toEqual({
        kind: 'invalid',
        reason: 'the profile response has no user ID',
      });
    },
  );

  test('sends its requests form-encoded, as Discord demands', async () => {
    const { server, handleCallback } = setUp();
    await handleCallback();
    expect(server.requests[0]?.headers.get('content-type')).toMatch(/^application\/x-www-form-urlencoded/);
  });
});

const applesKey = async (): Promise<string> => {
  return exportPKCS8((await generateKeyPair('ES256', { extractable: true })).privateKey);
};
