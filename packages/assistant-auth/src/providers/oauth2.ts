/** Any OAuth 2.0 server that is no OpenID Connect issuer: the code flow with state and PKCE, then its API says who it is. */
import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  ClientSecretPost,
  processAuthorizationCodeResponse,
  refreshTokenGrantRequest,
  validateAuthResponse,
} from 'oauth4webapi';
import {
  type ClientSettings,
  clientDefaults,
  clientDemands,
  type Demand,
  demand,
  isAddress,
} from './config.ts';
import { orProviderError } from './errors.ts';
import { askProvider, transport } from './http.ts';
import {
  authorizationUrl,
  bearerToken,
  clientOf,
  type Description,
  identityFrom,
  longLivedRefreshToken,
  notUsed,
  receiveTokens,
  revokeToken,
  secretOf,
  type TokenResponse,
  toStrictResponse,
  wordFrom,
} from './oauth-client.ts';
import { type IdentityProvider, ProviderError, type ProviderIo, type ProviderLeg } from './provider.ts';

export type { Description } from './oauth-client.ts';

/** `scopes` are none when they are left out; the client secret goes into the form. All URLs are https, on loopback also http. */
export interface OAuth2Settings extends ClientSettings {
  /** What the server calls itself in the `iss` of an answer (RFC 9207), if it sends one. */
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** Answers a GET with the access token in JSON. */
  readonly profileUrl: string;
  /** Where refresh tokens are revoked (RFC 7009). Left out: nowhere. */
  readonly revocationUrl?: string;
  /** Reads the person out of that JSON; `undefined` for what is nobody. */
  readonly describe: (profile: Readonly<Record<string, unknown>>) => Description | undefined;
}

type Party = Required<Omit<OAuth2Settings, 'revocationUrl'>> & Pick<OAuth2Settings, 'revocationUrl'>;

/**
 * Lets people sign in at an OAuth 2.0 server that has an API for their profile.
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe setting
 * @see RFC 6749 §4.1, RFC 7636, RFC 9207
 */
export const oauth2 = (settings: OAuth2Settings): IdentityProvider => {
  const party = demand<Party>({ scopes: [], reauthentication: {}, ...clientDefaults, ...settings }, demands);
  const { revocationUrl } = party;
  return {
    id: party.id,
    label: party.label,
    configuredUrls: [
      party.authorizationUrl,
      party.tokenUrl,
      party.profileUrl,
      ...(revocationUrl === undefined ? [] : [revocationUrl]),
    ],
    answersBy: 'query',
    gone: party.gone,
    singleUseRefreshTokens: party.singleUseRefreshTokens,
    checkEvery: party.checkEvery,
    authorizationUrl: (leg) => authorizationUrl(party.authorizationUrl, party, leg),
    identify: (answer, leg, io) =>
      orProviderError(async () => {
        const tokens = await redeem(answer.searchParams, party, leg, io);
        const profile = await readProfile(party, bearerToken(tokens), io);
        const description = party.describe(profile);
        if (description === undefined) throw new ProviderError('invalid', 'the profile is nobody’s');
        const refreshToken = longLivedRefreshToken(tokens, party.offlineAccess, party.scopes);
        return identityFrom(party.id, description, profile, refreshToken);
      }),
    check: (refreshToken, io) =>
      wordFrom(party, async () => {
        if (party.offlineAccess === 'never') throw notUsed();
        const auth = ClientSecretPost(await secretOf(party, io));
        return () =>
          refreshTokenGrantRequest(serverOf(party), clientOf(party), auth, refreshToken, transport(io));
      }),
    ...(revocationUrl !== undefined && { revoke: revokeAt(revocationUrl, party) }),
  };
};

const addressProblem = 'must be an https URL without user and fragment, or http on loopback.';

const demands: readonly Demand<Party>[] = [
  ...clientDemands,
  ['issuer', ({ issuer }) => isAddress(issuer), addressProblem],
  ['authorizationUrl', (party) => isAddress(party.authorizationUrl), addressProblem],
  ['tokenUrl', ({ tokenUrl }) => isAddress(tokenUrl), addressProblem],
  ['profileUrl', ({ profileUrl }) => isAddress(profileUrl), addressProblem],
  [
    'revocationUrl',
    ({ revocationUrl }) => revocationUrl === undefined || isAddress(revocationUrl),
    addressProblem,
  ],
];

const redeem = async (
  answer: URLSearchParams,
  party: Party,
  leg: ProviderLeg,
  io: ProviderIo,
): Promise<TokenResponse> => {
  const server = serverOf(party);
  const client = clientOf(party);
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    ClientSecretPost(await secretOf(party, io)),
    validateAuthResponse(server, client, answer, leg.state),
    leg.redirectUri,
    leg.codeVerifier,
    transport(io),
  );
  const tokens = await receiveTokens(response);
  // An ID token is not used, because only `oidc()` can verify one.
  await processAuthorizationCodeResponse(server, client, toStrictResponse(response, undefined));
  return tokens;
};

const revokeAt =
  (endpoint: string, party: Party): NonNullable<IdentityProvider['revoke']> =>
  (refreshToken, io) =>
    orProviderError(async () => {
      const server = { ...serverOf(party), revocation_endpoint: endpoint };
      const auth = ClientSecretPost(await secretOf(party, io));
      await revokeToken({ party, server, auth }, refreshToken, io);
    });

const serverOf = ({ issuer, tokenUrl }: Party): AuthorizationServer => ({ issuer, token_endpoint: tokenUrl });

const readProfile = async (
  { profileUrl }: Party,
  accessToken: string,
  io: ProviderIo,
): Promise<Readonly<Record<string, unknown>>> => {
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${accessToken}`,
    // GitHub answers nobody who does not name themselves, and Workers send no name of their own.
    'user-agent': 'words-with-chat-broker',
  };
  const response = await askProvider(profileUrl, { method: 'GET', headers }, io);
  const profile: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new ProviderError('invalid', `the profile answered with status ${response.status}`);
  if (typeof profile !== 'object' || profile === null)
    throw new ProviderError('invalid', 'the profile is no JSON object');
  return { ...profile };
};
