/**
 * Apple as an identity provider: OpenID Connect with form-post responses, and a client secret that the broker
 * signs itself.
 */

import { importPKCS8, SignJWT } from 'jose';
import type { EpochSeconds, Identity, Seconds } from '../oauth/identifiers.ts';
import { type Rule, resolveBaseUrl, validate } from './config.ts';
import { createIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import { type IdentityProvider, ProviderError, parseLabel } from './provider.ts';
import { readAppleNotification } from './security-events/apple.ts';

export interface AppleSettings {
  /** The Services ID, for example `example.words.signin`. */
  readonly clientId: string;
  /** Ten characters. */
  readonly teamId: string;
  /** The ID of the key. Ten characters. */
  readonly keyId: string;
  /** The contents of the key's .p8 file. Line breaks can be written `\n`. A secret. */
  readonly privateKey: string;
  /**
   * Origin of a fake provider on loopback, for development. Default: Apple, which does not accept localhost
   * as a redirect URI.
   */
  readonly baseUrl?: string;
}

/**
 * Lets people sign in with Apple.
 * @throws ConfigurationError `providers.apple.<option>` for a missing or malformed setting
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 */
export const apple = ({ baseUrl, ...settings }: AppleSettings): IdentityProvider => {
  const origin = resolveBaseUrl('apple', 'https://appleid.apple.com', baseUrl);
  const issuer = createIssuer({
    id: 'apple',
    displayName: 'Apple',
    issuer: origin,
    clientId: settings.clientId,
    clientSecret: createAppleClientSecretSigner({ ...settings, audience: origin }),
    scopes: ['openid', 'email', 'name'],
    // Apple requires `form_post` if a name or email address is requested.
    responseMode: 'form_post',
    // Apple has no parameter that requests reauthentication.
    reauthentication: {},
    authTime: 'optional',
    singleUseRefreshTokens: false,
    // Apple may throttle clients that validate a token more than once a day.
    recheckInterval: 86_400,
    // Apple documents that refresh tokens may be validated once a day, so they outlive the session.
    offlineAccess: 'always',
    // Apple has no UserInfo endpoint.
    userInfo: 'never',
  });
  const provider = createOidcProvider(issuer);
  return {
    ...provider,
    securityEvents: {
      contentType: 'application/json',
      read: (body, io) => readAppleNotification(body, issuer, io),
    },
    async handleCallback(callbackUrl, upstreamRequest, io) {
      const identity = await provider.handleCallback(callbackUrl, upstreamRequest, io);
      return identity.label === undefined
        ? withNameAsLabel(identity, callbackUrl.searchParams.get('user'))
        : identity;
    },
  };
};

/**
 * Apple sends the name only with the first response, next to the token and unsigned, so it is used only as a
 * label.
 */
const withNameAsLabel = (identity: Identity, user: string | null): Identity => {
  const label = readName(user ?? '');
  return label === undefined ? identity : { ...identity, label };
};

const readName = (user: string): string | undefined => {
  try {
    const { firstName, lastName } = Object(Object(JSON.parse(user)).name);
    return parseLabel(
      [firstName, lastName]
        .filter((name) => typeof name === 'string')
        .join(' ')
        .trim(),
    );
  } catch {
    return undefined;
  }
};

// Apple's client secret: a JWT (RFC 7519), signed for each exchange with the publisher's key (ES256).

/** Apple allows six months, but each secret is used immediately. */
const lifetime: Seconds = 300;

type ClientSecretSettings = Pick<AppleSettings, 'clientId' | 'teamId' | 'keyId' | 'privateKey'> & {
  /** Apple's issuer. */
  readonly audience: string;
};

/**
 * Creates a function that signs client secrets.
 * @throws ConfigurationError `providers.apple.<option>` for a team ID, key ID or key that is not valid
 * @see https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
 */
const createAppleClientSecretSigner = (
  settings: ClientSecretSettings,
): ((now: EpochSeconds) => Promise<string>) => {
  const { clientId, teamId, keyId, audience } = validate({ id: 'apple', ...settings }, rules);
  let signingKey: CryptoKey | undefined;
  return async (now) => {
    signingKey ??= await importPrivateKey(settings.privateKey);
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setSubject(clientId)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetime)
      .sign(signingKey);
  };
};

const idProblem = 'must be ten letters and digits, as Apple shows it.';

const rules: readonly Rule<ClientSecretSettings & { readonly id: string }>[] = [
  ['teamId', ({ teamId }) => appleIdentifierPattern.test(teamId), idProblem],
  ['keyId', ({ keyId }) => appleIdentifierPattern.test(keyId), idProblem],
  [
    'privateKey',
    ({ privateKey }) => isP256Key(privateKey),
    'must be the text of the .p8 file that Apple gave you.',
  ],
];

const appleIdentifierPattern = /^[A-Z0-9]{10}$/;

/** Everything in a PEM that is not the key: header, footer and line breaks, also those written as `\n`. */
const pemFraming = /-----(BEGIN|END) PRIVATE KEY-----|\\n|\s/g;
/** The object identifier of P-256 in DER, one character per byte. */
const p256 = '\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07';

/** Finds a wrong key at startup. Importing it would tell more, but is asynchronous. */
const isP256Key = (pem: string): boolean => {
  try {
    return atob(pem.replaceAll(pemFraming, '')).includes(p256);
  } catch {
    return false;
  }
};

const importPrivateKey = async (pem: string): Promise<CryptoKey> => {
  const key = pem.replaceAll(pemFraming, '');
  try {
    return await importPKCS8(`-----BEGIN PRIVATE KEY-----${key}-----END PRIVATE KEY-----`, 'ES256');
  } catch {
    throw new ProviderError('invalid', 'the private key for Apple cannot be used');
  }
};
