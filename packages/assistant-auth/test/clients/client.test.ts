import { describe, expect, it } from 'vitest';
import { acceptsAnyGpt, createClientRegistry } from '../../src/clients/client.ts';
import { gptAction, staticClient } from '../../src/index.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { createTestBrowser, gptRequest } from '../browser.ts';
import { clients, deploy, gptSecret, issuer } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';

const development = 'http://localhost:9000/aip/g-1234567890abcdef/oauth/callback';

describe('a registry', () => {
  it('finds its clients by id, in the very same letters', () => {
    const registry = createClientRegistry(clients, parseIssuer(issuer));
    expect(clients.map(({ id }) => registry.get(id)?.id)).toEqual(['gpt', 'app', 'server', 'native']);
    for (const id of ['', 'GPT', 'gpt ', 'toString', '__proto__']) expect(registry.get(id)).toBeUndefined();
  });

  it('refuses two clients of one id', () => {
    expect(() => createClientRegistry([...clients, clients[0]], parseIssuer(issuer))).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients' }),
    );
  });

  it('refuses a client of the id that sessions at the account page go by', () => {
    const account = { id: 'account', name: 'Account', scopes: ['words'] };
    const problem = new ConfigurationError(
      'clients.account.id',
      'must not be account, which is the account page.',
    );
    expect(() => staticClient({ ...account, redirectUris: ['https://app.example/callback'] })).toThrow(
      problem,
    );
    expect(() => gptAction({ ...account, secrets: ['s'.repeat(32)] })).toThrow(problem);
  });

  it('keeps redirects for development on a loopback issuer only', () => {
    const kinds = (at: string) =>
      createClientRegistry(clients, parseIssuer(at))
        .get('gpt')
        ?.redirects.map(({ kind }) => kind);
    expect(kinds('http://localhost:8787')).toEqual(['gpt', 'gpt-development']);
    expect(kinds('https://localhost:8787')).toEqual(['gpt']);
    expect(kinds(issuer)).toEqual(['gpt']);
  });
});

describe('a GPT in development', () => {
  const local = 'http://localhost:8787';

  it('signs in at a loopback redirect of a loopback issuer', async () => {
    const browser = createTestBrowser(deploy({ issuer: local }));
    const back = await browser.signIn({ ...gptRequest, redirect_uri: development });
    expect(back.origin + back.pathname).toBe(development);
    expect(back.searchParams.get('iss')).toBe(local);
    expect(back.searchParams.has('code')).toBe(true);
  });

  it('is held to its pinned GPT there, too', async () => {
    const pinned = gptAction({
      id: 'gpt',
      name: 'GPT',
      secrets: [gptSecret],
      scopes: ['words'],
      gptIds: ['g-0000567890abcdef'],
    });
    const deployment = deploy({ issuer: local, clients: [pinned] });
    const { response } = await createTestBrowser(deployment).openSignInPage({
      ...gptRequest,
      redirect_uri: development,
    });
    await expectErrorPage(response, deployment, 'The address to return to is not registered for this app.');
  });
});

it('knows a client that any GPT may use', () => {
  const pinned = gptAction({
    id: 'gpt',
    name: 'GPT',
    secrets: [gptSecret],
    scopes: ['words'],
    gptIds: ['g-0000567890abcdef'],
  });
  expect([...clients, pinned].filter(acceptsAnyGpt).map(({ id }) => id)).toEqual(['gpt']);
});
