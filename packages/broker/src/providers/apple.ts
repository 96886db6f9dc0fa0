/** Apple as an identity provider: OpenID Connect whose answers come by form, and whose client secret we sign ourselves. */
import type { Identity } from '../protocol/identity.ts';
import { appleClientSecret } from './apple-client-secret.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { siteOf } from './oauth/client-settings.ts';
import { readText } from './oauth/identity.ts';
import { createIssuer } from './oidc/issuer.ts';
import { signInAt } from './oidc.ts';
import { readAppleNotification } from './signals/apple-notifications.ts';

export interface AppleSettings {
  /** The Services ID, for example `example.words.signin`. */
  readonly clientId: string;
  /** Ten characters. */
  readonly teamId: string;
  /** Ten characters: the id of the key. */
  readonly keyId: string;
  /** The text of the key's .p8 file; its line breaks may be written `\n`. A secret. */
  readonly privateKey: string;
  /** Origin of a stand-in on loopback in development. Left out: Apple itself, which knows no localhost. */
  readonly standIn?: string;
}

/**
 * Lets people sign in with Apple.
 * @throws ConfigurationError `providers.apple.<option>` for a missing or malformed setting
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 */
export const apple = ({ standIn, ...settings }: AppleSettings): IdentityProvider => {
  const site = siteOf('apple', 'https://appleid.apple.com', standIn);
  const issuer = createIssuer({
    id: 'apple',
    label: 'Apple',
    issuer: site,
    clientId: settings.clientId,
    clientSecret: appleClientSecret({ ...settings, audience: site }),
    scopes: ['openid', 'email', 'name'],
    // Apple insists on it when it is asked for name or address.
    responseMode: 'form_post',
    // There is nothing to ask it with.
    reauthentication: {},
    authTime: 'optional',
    singleUseRefreshTokens: false,
    // Apple may throttle whoever asks more than once a day.
    checkEvery: 86_400,
    // Apple documents that refresh tokens may be validated once a day, so they outlive the session.
    offlineAccess: 'always',
    // Apple has no UserInfo endpoint.
    userInfo: 'never',
  });
  const provider = signInAt(issuer);
  return {
    ...provider,
    events: {
      contentType: 'application/json',
      read: (body, io) => readAppleNotification(body, issuer, io),
    },
    async identify(answer, leg, io) {
      const identity = await provider.identify(answer, leg, io);
      return identity.label === undefined ? labelled(identity, answer.searchParams.get('user')) : identity;
    },
  };
};

/** The name comes with the first answer only, beside the token and unsigned: good for a label, for nothing else. */
const labelled = (identity: Identity, user: string | null): Identity => {
  const label = readName(user ?? '');
  return label === undefined ? identity : { ...identity, label };
};

const readName = (user: string): string | undefined => {
  try {
    const { firstName, lastName } = Object(Object(JSON.parse(user)).name);
    return readText(
      [firstName, lastName]
        .filter((name) => typeof name === 'string')
        .join(' ')
        .trim(),
    );
  } catch {
    return undefined;
  }
};
