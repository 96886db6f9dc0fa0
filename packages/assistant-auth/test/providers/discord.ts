/** Discord as an identity provider: the example in docs/providers.md, identical except for the import. */
import { type IdentityProvider, oauth2 } from '../../src/index.ts';

export interface DiscordOptions {
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
}

/** Lets users sign in with Discord. The scope `identify` gives the user ID and names, but no email. */
export const discord = ({ clientId, clientSecret }: DiscordOptions): IdentityProvider =>
  oauth2({
    id: 'discord',
    displayName: 'Discord',
    issuer: 'https://discord.com',
    authorizationUrl: 'https://discord.com/oauth2/authorize',
    tokenUrl: 'https://discord.com/api/oauth2/token',
    revocationUrl: 'https://discord.com/api/oauth2/token/revoke',
    profileUrl: 'https://discord.com/api/v10/users/@me',
    clientId,
    clientSecret,
    scopes: ['identify'],
    // Discord has no scope `offline_access`, and does not document that its refresh tokens expire with a
    // session.
    offlineAccess: 'always',
    // A snowflake is a 64-bit integer, sent as a string. Names can change and be reused by another user.
    mapProfile: ({ id, global_name, username }) =>
      typeof id === 'string' && /^\d{15,20}$/.test(id)
        ? { subject: id, labels: [global_name, username] }
        : undefined,
  });
