/** Revoking a provider's refresh token that nobody needs any longer (RFC 7009). */
import { describe, expect, test } from 'vitest';
import { github, type IdentityProvider, type ProviderIo } from '../../src/index.ts';
import { discord } from './discord.ts';
import {
  captureProviderError,
  clientId,
  clientSecret,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';
import { createOAuth2Provider } from './hostile-server.ts';

type Answer = () => Response | Promise<Response>;

const theirs = 'their-refresh-token';
const form = {
  token: theirs,
  token_type_hint: 'refresh_token',
  client_id: clientId,
  client_secret: clientSecret,
};

/** A provider, and what its revocation endpoint was sent. */
interface Revoking {
  readonly revoke: () => Promise<void>;
  readonly sent: readonly { readonly url: string; readonly form: object }[];
}

const createRecorder = (provider: IdentityProvider, io: ProviderIo, answer: Answer): Revoking => {
  const sent: { readonly url: string; readonly form: object }[] = [];
  const fetch: ProviderIo['fetch'] = async (input, init) => {
    if (!String(input).endsWith('/revoke')) return io.fetch(input, init);
    sent.push({ url: String(input), form: Object.fromEntries(new URLSearchParams(String(init?.body))) });
    return answer();
  };
  const revoke = async () => {
    if (provider.revoke === undefined) throw new Error('it cannot be asked');
    await provider.revoke(theirs, { ...io, fetch });
  };
  return { revoke, sent };
};

/** An OpenID Connect issuer that answers so, and an OAuth 2.0 server that does. */
const both = (answer: Answer = () => new Response()): readonly Revoking[] => {
  const issuer = createIssuer();
  issuer.override({ metadata: { revocation_endpoint: 'https://id.example/revoke' } });
  return [
    createRecorder(createOidcProvider(issuer), issuer.io, answer),
    createRecorder(createOAuth2Provider({ revocationUrl: 'https://id.example/revoke' }), issuer.io, answer),
  ];
};

describe('a refresh token', () => {
  test('is sent to the revocation endpoint, with our credentials', async () => {
    for (const { revoke, sent } of both()) {
      await revoke();
      expect(sent).toEqual([{ url: 'https://id.example/revoke', form }]);
    }
  });

  test('that is dead already is no error', async () => {
    for (const { revoke } of both(() => Response.json({ error: 'invalid_token' }, { status: 400 })))
      await expect(revoke()).resolves.toBeUndefined();
  });

  test.each([null, '', false])('is revoked if the error is %j', async (error) => {
    for (const { revoke } of both(() => Response.json({ error })))
      await expect(revoke()).resolves.toBeUndefined();
    for (const { revoke } of both(() => Response.json({ error }, { status: 400 })))
      expect(await captureProviderError(revoke())).toMatchObject({ kind: 'invalid' });
  });

  test.each<[string, Answer, string, string]>([
    [
      'our secret is wrong',
      () => Response.json({ error: 'invalid_client', error_description: 'their-words' }, { status: 401 }),
      'invalid',
      'the revocation endpoint answered invalid_client',
    ],
    [
      'it takes no refresh tokens',
      () => Response.json({ error: 'unsupported_token_type' }, { status: 400 }),
      'invalid',
      'the revocation endpoint answered unsupported_token_type',
    ],
    [
      'it says something of its own',
      () => Response.json({ error: 'their-refresh-token' }),
      'invalid',
      'the revocation endpoint answered an error of its own',
    ],
    [
      'it answers with a page',
      () => new Response('their-page', { status: 404 }),
      'invalid',
      'the revocation endpoint answered with status 404',
    ],
    [
      'it is out of order',
      () => new Response(null, { status: 503 }),
      'unavailable',
      'id.example answered with status 503',
    ],
    [
      'it cannot be reached',
      () => Promise.reject(new TypeError('their-network')),
      'unavailable',
      'id.example is out of reach',
    ],
  ])('is not revoked when %s', async (_, answer, kind, reason) => {
    for (const { revoke } of both(answer))
      expect(await captureProviderError(revoke())).toEqual({ kind, reason });
  });
});

describe('an issuer', () => {
  test.each([undefined, null, ''])('that names no endpoint for it (%j) is not asked', async (named) => {
    const issuer = createIssuer();
    issuer.override({ metadata: { revocation_endpoint: named } });
    const { revoke, sent } = createRecorder(createOidcProvider(issuer), issuer.io, () => new Response());
    await revoke();
    expect(sent).toEqual([]);
    expect(issuer.asked()).toEqual(['discovery']);
  });

  test.each(['http://id.example/revoke', 'https://10.0.0.1/revoke', 7])(
    'that names %s is not sent the token, and people can sign in all the same',
    async (revocation_endpoint) => {
      const issuer = createIssuer();
      issuer.override({ metadata: { revocation_endpoint } });
      const provider = createOidcProvider(issuer);
      const { revoke, sent } = createRecorder(provider, issuer.io, () => new Response());
      expect(await captureProviderError(revoke())).toEqual({
        kind: 'invalid',
        reason: 'the revocation_endpoint of id.example is not an allowed URL',
      });
      expect(sent).toEqual([]);
      expect((await provider.authorizationUrl(upstreamRequest, issuer.io)).host).toBe('id.example');
    },
  );
});

describe('a server that is no issuer', () => {
  test('is asked where the settings say so', () => {
    expect(github({ clientId, clientSecret })).not.toHaveProperty('revoke');
    expect(discord({ clientId, clientSecret }).configuredUrls).toContain(
      'https://discord.com/api/oauth2/token/revoke',
    );
  });

  test('is asked over https, or on loopback', () => {
    expect(() => createOAuth2Provider({ revocationUrl: 'http://acme.example/revoke' })).toThrow(
      expect.objectContaining({ option: 'providers.acme.revocationUrl' }),
    );
  });
});
