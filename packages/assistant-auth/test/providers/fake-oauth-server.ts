/** An OAuth 2.0 server with a profile, in memory behind `fetch`. It is correct unless a test overrides it. */

import { type OAuth2Options, oauth2 } from '../../src/providers/oauth2.ts';
import type { IdentityProvider, ProviderIo } from '../../src/providers/provider.ts';
import { clientId, clientSecret } from './fake-issuer.ts';

export type ServerEndpoint = 'token' | 'profile';

/** The URLs of the endpoints. A request to any other URL counts as `unknown`. */
export interface EndpointUrls {
  readonly token: string;
  readonly profile: string;
}

type Respond = () => Response | Promise<Response>;
type Members = Readonly<Record<string, unknown>>;

const acme = { token: 'https://acme.example/token', profile: 'https://api.acme.example/me' };

/** @param person the response of the profile endpoint */
export const createFakeServer = (
  endpointUrls: EndpointUrls = acme,
  initialProfile: Members = { id: 'person-1', name: 'Ada' },
) => {
  const requests: Request[] = [];
  let endpointOverrides: Readonly<Partial<Record<ServerEndpoint, Respond>>> = {};
  let tokens: Members = {};
  let profile: Members = initialProfile;

  const responders: Readonly<Record<ServerEndpoint, Respond>> = {
    token: () => Response.json({ access_token: 'their-access-token', token_type: 'bearer', ...tokens }),
    profile: () => Response.json(profile),
  };
  const fetch: ProviderIo['fetch'] = async (input, init) => {
    const request = new Request(String(input), init);
    requests.push(request);
    const endpoint = classifyUrl(request.url, endpointUrls);
    if (endpoint === 'unknown') return new Response('nothing here', { status: 404 });
    return (endpointOverrides[endpoint] ?? responders[endpoint])();
  };
  const io: ProviderIo = { fetch, now: () => 1_800_000_000, allowLoopbackHttp: false, timeoutMs: 10_000 };
  return {
    io,
    requests,
    /** Replaces the whole response of an endpoint. */
    overrideEndpoints(changes: typeof endpointOverrides) {
      endpointOverrides = changes;
    },
    overrideTokens(changes: Members) {
      tokens = changes;
    },
    overrideProfile(changes: Members) {
      profile = { ...initialProfile, ...changes };
    },
    listRequestedEndpoints: () => requests.map(({ url }) => classifyUrl(url, endpointUrls)),
  };
};

export const createOAuth2Provider = (changes: Partial<OAuth2Options> = {}): IdentityProvider =>
  oauth2({
    id: 'acme',
    displayName: 'Acme',
    issuer: 'https://acme.example',
    authorizationUrl: 'https://acme.example/authorize?tenant=7',
    tokenUrl: acme.token,
    profileUrl: acme.profile,
    clientId,
    clientSecret,
    mapProfile: ({ id, name, email }) =>
      typeof id === 'string' ? { subject: id, labels: [name], email } : undefined,
    ...changes,
  });

const classifyUrl = (url: string, { token, profile }: EndpointUrls): ServerEndpoint | 'unknown' => {
  if (url === token) return 'token';
  return url === profile ? 'profile' : 'unknown';
};
