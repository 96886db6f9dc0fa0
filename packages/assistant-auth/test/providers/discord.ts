/** Discord as an identity provider: the example in docs/guides/write-a-provider.md, identical except for the import. */
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
    icon,
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

/** Discord's logo from https://github.com/simple-icons/simple-icons (CC0-1.0), in its brand color. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">' +
  '<path fill="#5865f2" d="M20.32 4.37a20 20 0 0 0-4.89-1.52.1.1 0 0 0-.08.04c-.2.38-.44.87-.6 1.25a18 18' +
  ' 0 0 0-5.5 0c-.16-.4-.4-.87-.6-1.25a.1.1 0 0 0-.09-.04 20 20 0 0 0-4.88 1.52l-.04.03A20.3 20.3 0 0 0 .1' +
  ' 18.06l.03.05a20 20 0 0 0 6 3.03l.08-.02q.7-.95 1.22-2a.1.1 0 0 0-.04-.1 13 13 0 0 1-1.87-.9.1.1 0 0 1' +
  ' 0-.12l.36-.3h.08a14.2 14.2 0 0 0 12.06 0h.08l.37.3a.1.1 0 0 1 0 .12 12 12 0 0 1-1.88.9.1.1 0 0 0-.04.1' +
  'q.55 1.05 1.23 2l.08.02a20 20 0 0 0 6-3.03l.04-.05c.5-5.18-.84-9.68-3.55-13.66zM8.02 15.33c-1.18 0-2.16' +
  '-1.08-2.16-2.42s.96-2.42 2.16-2.42 2.18 1.1 2.16 2.42c0 1.34-.96 2.42-2.16 2.42m7.97 0c-1.18 0-2.15' +
  '-1.08-2.15-2.42s.95-2.42 2.15-2.42c1.22 0 2.18 1.1 2.16 2.42 0 1.34-.94 2.42-2.16 2.42"/></svg>';
