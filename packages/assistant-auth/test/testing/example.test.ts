import { createBroker, oidc, staticClient } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { generateKey } from 'assistant-auth/seal';
import { createEmulatedClient, createFakeProvider } from 'assistant-auth/testing';
import { expect, it } from 'vitest';

it('lets Ada call the API until her token is revoked', async () => {
  let time = 1_800_000_000;
  const now = () => time;
  const issuer = 'https://words.example';
  const redirectUri = 'https://app.example/callback';
  const acme = { issuer: 'https://id.example', clientId: 'words', clientSecret: 'not-a-secret' };
  const fakeProvider = createFakeProvider({ ...acme, now });
  const broker = createBroker({
    issuer,
    sealingKeys: generateKey('k1'),
    storage: memoryStorage(),
    scopes: { score: 'see your score' },
    clients: [staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes: ['score'] })],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    fetch: fakeProvider.fetch,
    now,
    log: () => {},
  });
  const app = async (request: Request): Promise<Response> => {
    const response = (await fakeProvider.handle(request)) ?? (await broker.handle(request));
    if (response !== undefined) return response;
    const auth = await broker.protect(request, { scopes: ['score'] });
    return auth.ok ? Response.json({ score: 7 }) : auth.response;
  };

  const origins = [acme.issuer];
  const client = createEmulatedClient({ issuer, clientId: 'app', redirectUri, origins, fetch: app });
  const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
  expect(await (await client.call(`${issuer}/score`, accessToken)).json()).toEqual({ score: 7 });

  await client.revoke(accessToken);
  time += 10; // A revoked token stops working within 10 seconds (60 while storage is unreachable).
  expect((await client.call(`${issuer}/score`, accessToken)).status).toBe(401);
  await expect(client.signIn(['Sign in with Acme', 'Cancel'])).rejects.toThrow('access_denied');
});
