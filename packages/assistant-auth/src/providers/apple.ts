/**
 * Apple as an identity provider: OpenID Connect with form-post responses, and a client secret that the broker
 * signs itself.
 */

import { CompactSign } from 'jose';
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import type { EpochSeconds, Identity, Seconds } from '../oauth/identifiers.ts';
import type { CryptoKey } from '../oauth/secrets.ts';
import { parseBuiltInOptions, type Rule, resolveBaseUrl, validate } from './config.ts';
import { parseLabel } from './identity.ts';
import { createIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import { type IdentityProvider, isVisible, ProviderError } from './provider.ts';
import { readAppleNotification } from './security-events/apple.ts';

/** The options of {@link apple}. */
export interface AppleOptions {
  /**
   * The Services ID, for example `example.words.signin`. Not secret. `<issuer>/callback/apple` must be one of
   * its return URLs.
   */
  readonly clientId: string;
  /** The ID of the developer team: ten uppercase letters and digits. */
  readonly teamId: string;
  /** The ID of the key for Sign in with Apple: ten uppercase letters and digits. */
  readonly keyId: string;
  /**
   * The contents of the key's .p8 file, a P-256 private key in PEM. Line breaks can be written `\n`. Secret.
   * The broker signs a client secret with it for each request to Apple. A key that is incomplete, encrypted
   * or of another kind prevents startup.
   */
  readonly privateKey: string;
  /**
   * Origin of a fake provider on loopback, for development. Default: `https://appleid.apple.com`, which does
   * not accept localhost as a redirect URI.
   */
  readonly baseUrl?: string;
}

/**
 * Lets users sign in with Apple. The provider's ID is `apple`. Apple sends a user's name only at the first
 * sign-in, and rechecks happen at most once a day. Apple's notifications are accepted at
 * `<issuer>/events/apple`.
 * @param options the Services ID and the key
 * @throws ConfigurationError `providers.apple.<option>` for a missing or malformed option
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 * @example
 * ```ts
 * import { apple } from 'assistant-auth';
 *
 * const provider = apple({
 *   clientId: env.APPLE_CLIENT_ID,
 *   teamId: env.APPLE_TEAM_ID,
 *   keyId: env.APPLE_KEY_ID,
 *   privateKey: env.APPLE_PRIVATE_KEY,
 * });
 * ```
 */
export const apple = ({ baseUrl, ...options }: AppleOptions): IdentityProvider => {
  const { clientId, teamId, keyId, privateKey, ...unknown } = options;
  rejectUnknownOptions('providers.apple.', unknown);
  const origin = resolveBaseUrl('apple', 'https://appleid.apple.com', baseUrl);
  const config = parseBuiltInOptions({
    id: 'apple',
    displayName: 'Apple',
    issuer: origin,
    clientId,
    clientSecret: createAppleClientSecretSigner({ ...options, audience: origin }),
    scopes: ['openid', 'email', 'name'],
    // Apple requires `form_post` if a name or email address is requested.
    responseMode: 'form_post',
    // Apple has no parameter that requests reauthentication, and no account chooser.
    reauthentication: {},
    accountSelection: {},
    authTime: 'optional',
    singleUseRefreshTokens: false,
    // Apple documents that refresh tokens may be validated once a day, so they outlive the session, and that
    // it may throttle clients that validate one more often.
    recheckInterval: 86_400,
  });
  const issuer = createIssuer(config);
  // Without UserInfo, because Apple has no such endpoint.
  const provider = createOidcProvider(issuer, 'https://appleid.apple.com');
  return {
    ...provider,
    icon,
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
 * Apple's logo. The path is that of `apple` in https://github.com/simple-icons/simple-icons (CC0-1.0),
 * rounded to whole units of a larger grid.
 * @see https://developer.apple.com/design/human-interface-guidelines/sign-in-with-apple
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 480">' +
  '<path fill="currentColor" d="M243 138c-19 0-48-22-79-21-41 1-78 24-99 60-43 74-11 182 30 242 20 29 44' +
  ' 62 76 61 30-1 42-20 79-20 36 0 47 20 79 19 32 0 53-29 73-59 23-34 33-66 33-68a106 106 0 0 1-12-188c-29' +
  '-42-72-47-88-48-40-3-73 22-92 22m68-61c16-21 28-49 24-77a106 106 0 0 0-96 111c27 2 55-14 72-34"/></svg>';

/**
 * Apple sends the name only with the first response, as an unsigned parameter next to the code, so it is used
 * only as a label.
 */
const withNameAsLabel = (identity: Identity, user: string | null): Identity => {
  const label = readName(user ?? '');
  return label === undefined ? identity : { ...identity, label };
};

const readName = (user: string): string | undefined => {
  try {
    const { firstName, lastName } = Object(Object(JSON.parse(user)).name);
    return parseLabel([firstName, lastName].filter(isVisible).join(' ').trim());
  } catch {
    return undefined;
  }
};

// Apple's client secret: a JWT (RFC 7519), signed for each exchange with the publisher's key (ES256).

/** Apple allows six months, but each secret is used immediately. */
const lifetime: Seconds = 300;

type ClientSecretOptions = Pick<AppleOptions, 'clientId' | 'teamId' | 'keyId' | 'privateKey'> & {
  /** Apple's issuer. */
  readonly audience: string;
};

/**
 * Creates a function that signs client secrets.
 * @throws ConfigurationError `providers.apple.<option>` for a team ID, key ID or key that is not valid
 * @see https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
 */
const createAppleClientSecretSigner = (
  options: ClientSecretOptions,
): ((now: EpochSeconds) => Promise<string>) => {
  const { clientId, teamId, keyId, audience } = validate({ id: 'apple', ...options }, rules);
  const pkcs8 = parsePrivateKey(options.privateKey);
  let signingKey: CryptoKey | undefined;
  return async (now) => {
    signingKey ??= await importKey(pkcs8);
    const claims = { iss: teamId, iat: now, exp: now + lifetime, aud: audience, sub: clientId };
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .sign(signingKey);
  };
};

const idProblem = 'must be the ten letters and digits that Apple shows.';

const rules: readonly Rule<ClientSecretOptions & { readonly id: string }>[] = [
  ['teamId', ({ teamId }) => appleIdentifierPattern.test(teamId), idProblem],
  ['keyId', ({ keyId }) => appleIdentifierPattern.test(keyId), idProblem],
];

const appleIdentifierPattern = /^[A-Z0-9]{10}$/;

// The key in the .p8 file: PKCS #8 (RFC 5958) with an EC private key (RFC 5915), in PEM (RFC 7468). WebCrypto
// imports a key only asynchronously, so the whole structure is checked first: a key that was not copied
// completely must prevent startup, and not fail at the first sign-in.

/**
 * Decodes the key.
 * @throws ConfigurationError `providers.apple.privateKey` if it is incomplete, or another kind of key
 */
const parsePrivateKey = (pem: string): Uint8Array<ArrayBuffer> => {
  const der = decodePem(pem);
  if (der !== undefined && isP256PrivateKey(der))
    return Uint8Array.from(der, (character) => character.charCodeAt(0));
  throw new ConfigurationError(
    'providers.apple.privateKey',
    'must be the complete contents of the .p8 file from Apple: a P-256 private key that is not encrypted.',
  );
};

/**
 * Decodes PEM, or base64 without header and footer. Line breaks can also be written `\n`.
 * @returns one character per byte, or `undefined` if only one of header and footer is there, or for base64
 *   that is not padded correctly
 */
const decodePem = (pem: string): string | undefined => {
  try {
    const text = pem.replaceAll(/\\[rn]|\s/g, '');
    const base64 = /^-----BEGINPRIVATEKEY-----(.*)-----ENDPRIVATEKEY-----$/.exec(text)?.[1] ?? text;
    const der = atob(base64);
    return btoa(der) === base64 ? der : undefined;
  } catch {
    return undefined;
  }
};

// DER (X.690), one character per byte.
const algorithm = '\x06\x07\x2A\x86\x48\xCE\x3D\x02\x01';
const p256 = '\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07';
/** The curve, if the EC private key repeats it. The asterisk is the byte 2A. */
const curve = `(\xA0\x0A${p256.replace('*', '\\*')})?`;
/** What follows the version of an EC private key: 32 bytes, and optionally the curve and the public key. */
const ecKeyFields = new RegExp(`\x04\x20([^]{32})${curve}(\xA1\x44\x03\x42\0\x04[^]{64})?$`);

/** Returns whether DER is the exact encoding of a P-256 private key, so that each length matches. */
const isP256PrivateKey = (der: string): boolean => {
  const [fields = '', scalar = ''] = ecKeyFields.exec(der) ?? [];
  const ecKey = encodeSequence(`\x02\x01\x01${fields}`);
  const encoded = `\x02\x01\0${encodeSequence(algorithm + p256)}\x04${encodeLength(ecKey)}${ecKey}`;
  return /[^\0]/.test(scalar) && der === encodeSequence(encoded);
};

const encodeSequence = (content: string): string => `\x30${encodeLength(content)}${content}`;

/** Encodes a length of at most 255 bytes (X.690 §8.1.3). */
const encodeLength = ({ length }: string): string =>
  (length < 128 ? '' : '\x81') + String.fromCharCode(length);

/** Fails only if the public key in the file does not belong to the private key. */
const importKey = async (pkcs8: Uint8Array<ArrayBuffer>): Promise<CryptoKey> => {
  try {
    return await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ]);
  } catch {
    throw new ProviderError('invalid', 'the private key for Apple cannot be used');
  }
};
