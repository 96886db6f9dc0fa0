/** An OpenID Connect issuer in memory, behind `fetch`. It is correct until a test overrides a response. */
import { expect } from 'vitest';
import { type OidcOptions, oidc } from '../../src/providers/oidc.ts';
import { type IdentityProvider, ProviderError, type ProviderIo } from '../../src/providers/provider.ts';
import { type Claims, generateKey, sign } from './signing.ts';

export type Endpoint = 'discovery' | 'token' | 'keys' | 'userinfo';
/** The endpoints that every sign-in needs. */
export const endpoints: readonly Endpoint[] = ['discovery', 'token', 'keys'];

/** What the issuer returns instead of the correct values. A member that is `undefined` is omitted. */
export interface IssuerOverrides {
  readonly metadata?: Claims;
  readonly claims?: Claims;
  readonly tokens?: Claims;
  readonly makeIdToken?: (claims: Claims) => Promise<unknown>;
  readonly keys?: unknown;
  readonly userInfo?: Claims;
  /** Replaces the whole response of an endpoint. */
  readonly endpointOverrides?: Readonly<Partial<Record<Endpoint, () => Response | Promise<Response>>>>;
}

export interface RecordedRequest {
  readonly endpoint: Endpoint | 'unknown';
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly redirect: string | undefined;
  readonly canTimeOut: boolean;
}

/** Texts that show nothing: whitespace, control characters, and characters without a glyph. */
export const invisibleTexts: readonly (readonly [name: string, text: string])[] = [
  ['a space', ' '],
  ['a tab and a line break', '\t\r\n'],
  ['a no-break space', '\u00A0'],
  ['a zero-width space', '\u200B'],
  ['a byte order mark', '\uFEFF'],
  ['zero-width joiners between spaces', ' \u200D \u200C '],
  ['control characters', '\u0000\u001F\u007F\u0085'],
  ['a soft hyphen', '\u00AD'],
  ['marks of the text direction', '\u202E\u2066\u200F'],
  ['an ideographic space', '\u3000'],
  ['a Hangul filler', '\u3164\u115F\uFFA0'],
  ['an empty Braille pattern', '\u2800'],
  ['a variation selector', '\uFE0F'],
  ['a tag character', '\u{E0020}'],
];

/** One request to the provider, with the verifier and challenge of RFC 7636 appendix B. */
export const upstreamRequest = {
  redirectUri: 'https://words.example/callback/acme',
  state: 'state-of-this-transaction',
  nonce: 'nonce-of-this-transaction',
  codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
} as const;
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
export const code = 'code-of-this-transaction';
export const clientId = 'our-client-id';
export const clientSecret = "GOCSPX-our_client.secret~!*'()%+&=/";

export const issuerKey = await generateKey('key-1');

export const createFakeIssuer = (issuer = 'https://id.example') => {
  const requests: RecordedRequest[] = [];
  let overrides: IssuerOverrides = {};
  let currentTime = 1_800_000_000;
  const metadata = () => ({ ...buildMetadata(issuer), ...overrides.metadata });
  const makeIdToken = (claims: Claims) => overrides.makeIdToken?.(claims) ?? sign(claims, issuerKey);

  const responses: Readonly<Record<Endpoint, () => Promise<unknown>>> = {
    discovery: async () => metadata(),
    keys: async () => overrides.keys ?? { keys: [issuerKey.published] },
    token: async () => ({
      access_token: 'their-access-token',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: 'their-refresh-token',
      id_token: await makeIdToken({ ...buildClaims(issuer, currentTime), ...overrides.claims }),
      ...overrides.tokens,
    }),
    userinfo: async () => ({ sub: 'person-1', ...overrides.userInfo }),
  };

  const fetch: ProviderIo['fetch'] = async (input, init) => {
    const recorded = describeRequest(String(input), init ?? {}, metadata());
    requests.push(recorded);
    if (recorded.endpoint === 'unknown') return new Response('nothing here', { status: 404 });
    return (
      overrides.endpointOverrides?.[recorded.endpoint]?.() ??
      Response.json(await responses[recorded.endpoint]())
    );
  };

  const io: ProviderIo = { fetch, now: () => currentTime, allowLoopbackHttp: false, timeoutMs: 10_000 };
  return {
    issuer,
    io,
    requests,
    override(changes: IssuerOverrides) {
      overrides = changes;
    },
    advance(seconds: number) {
      currentTime += seconds;
    },
    /** Returns the endpoints that were requested, in order, and clears the recorded requests. */
    takeRequestedEndpoints: () => requests.splice(0).map(({ endpoint }) => endpoint),
  };
};

export type FakeIssuer = ReturnType<typeof createFakeIssuer>;

export const createOidcProvider = (
  { issuer }: FakeIssuer,
  changes: Partial<OidcOptions> = {},
): IdentityProvider => oidc({ id: 'acme', displayName: 'Acme', issuer, clientId, clientSecret, ...changes });

/** The callback URL with the parameters of a correct response; `null` omits a parameter. */
export const callback = (changes: Readonly<Record<string, string | null>> = {}): URL => {
  const url = new URL(upstreamRequest.redirectUri);
  for (const [name, value] of Object.entries({ code, state: upstreamRequest.state, ...changes })) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return url;
};

/** Returns the kind and message of a ProviderError, and checks that it contains no secret. */
export const captureProviderError = async (
  promise: Promise<unknown>,
): Promise<{ readonly kind: string; readonly reason: string }> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderError)) throw new Error('expected a ProviderError', { cause: error });
  const { state, nonce, codeVerifier } = upstreamRequest;
  for (const secret of [state, nonce, codeVerifier, code, clientSecret, 'their-', 'eyJ']) {
    expect(error.message).not.toContain(secret);
  }
  expect(error.cause).toBeUndefined();
  return { kind: error.kind, reason: error.message };
};

const buildMetadata = (issuer: string): Claims => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  scopes_supported: ['openid', 'email', 'profile', 'offline_access'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
});

const buildClaims = (issuer: string, now: number): Claims => ({
  iss: issuer,
  aud: clientId,
  sub: 'person-1',
  nonce: upstreamRequest.nonce,
  iat: now,
  exp: now + 3600,
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Marlow',
});

const describeRequest = (url: string, init: RequestInit, metadata: Claims): RecordedRequest => ({
  endpoint: classifyUrl(url, metadata),
  method: init.method ?? 'GET',
  url,
  // `fetch` adds the content type of the body.
  headers: Object.fromEntries(new Request(url, init).headers),
  body: String(init.body ?? ''),
  redirect: init.redirect,
  canTimeOut: init.signal instanceof AbortSignal,
});

const classifyUrl = (url: string, metadata: Claims): RecordedRequest['endpoint'] => {
  const { token_endpoint: token, jwks_uri: keys, userinfo_endpoint: userInfo } = metadata;
  if (url.endsWith('/.well-known/openid-configuration')) return 'discovery';
  if (url === token) return 'token';
  if (url === userInfo) return 'userinfo';
  return url === keys ? 'keys' : 'unknown';
};
