/**
 * Back from the provider with one more identity for the person in this session. Nothing is written yet: a page shows both
 * accounts and asks.
 */
import type { PublicClient } from '../../clients/client.ts';
import { keepNotice } from '../../doors/notice.ts';
import type { PageSurroundings } from '../../doors/page-door.ts';
import { clearCookie, readCookies } from '../../http/cookies.ts';
import { plainPage, seeOther } from '../../http/respond.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { Identity, UserId } from '../../protocol/identity.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';
import { type AccountFormRooms, sealAccountForm } from '../../sign-in/account-form.ts';
import {
  type AdmissionRooms,
  admitEverybody,
  parseAdmission,
  storedIdentity,
} from '../../sign-in/admission.ts';
import { bindBrowser } from '../../sign-in/binding-cookie.ts';
import { type LivingSession, type SessionRooms, useSession } from '../../sign-in/session.ts';
import { proofLifetime } from '../../tokens/lifetimes.ts';
import type { Vault } from '../../tokens/vault.ts';
import { completedBy, identityOf, type LegRooms, type Return } from './return.ts';

export interface ToLinkRooms
  extends PageSurroundings,
    SessionRooms,
    AdmissionRooms,
    AccountFormRooms,
    LegRooms {
  readonly accountPath: string;
  readonly confirmLinkPath: string;
  readonly account: PublicClient;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly vault: Vault;
}

export const toLink = async (
  rooms: ToLinkRooms,
  back: Return,
  begun: { readonly session: string; readonly user: UserId },
): Promise<Response> => {
  const accountUrl = rooms.issuer + rooms.accountPath;
  const gone = clearCookie(back.cookie);
  const session = await useSession(back.visit.request, rooms);
  // Signed out, or signed in as somebody else, while they were away.
  if (session?.grantId !== begun.session || session.userId !== begun.user)
    throw new Refusal('session.changed');
  const identity = await identityOf(rooms, back);
  if (identity === undefined) return seeOther(accountUrl, [gone, keepNotice('link-cancelled')]);
  const found = await standing(rooms, identity, session);
  const completed = await completedBy(rooms, back);
  rooms.deliveries.remember(back.journey.state);
  switch (found) {
    case 'free':
      return ask(rooms, back, session, identity, completed);
    case 'theirs':
      return seeOther(accountUrl, [...completed, keepNotice('already-linked')]);
    case 'taken':
      return sayTaken(rooms, identity, completed);
  }
};

/**
 * Whose it is: by the publisher's word, which every later sign-in with it would follow, and by what is stored.
 * @throws Refusal where the publisher speaks of one of the two as a user of theirs and not of the other: who is refused as the
 *   one would still come in as the other
 */
const standing = async (
  rooms: ToLinkRooms,
  identity: Identity,
  session: LivingSession,
): Promise<'free' | 'theirs' | 'taken'> => {
  const { userId: user } = session;
  const named = await userNamed(rooms, identity);
  const owner = await rooms.ledger.findUser(identity);
  if ((named ?? user) !== user || (owner ?? user) !== user) return 'taken';
  if (named !== (await currentlyNamed(rooms, session))) throw new Refusal('admission.link');
  return owner === undefined ? 'free' : 'theirs';
};

const userNamed = async ({ admit, account }: ToLinkRooms, identity: Identity): Promise<UserId | undefined> =>
  parseAdmission(await admit(identity, account)).userId;

/** As whom the publisher knows who is signed in. */
const currentlyNamed = async (
  rooms: ToLinkRooms,
  { identity, vouched }: LivingSession,
): Promise<UserId | undefined> => {
  if (rooms.admit === admitEverybody) return undefined;
  // Without what the provider said of them the publisher cannot be asked.
  if (vouched === undefined) throw new Refusal('admission.link');
  return userNamed(rooms, { ...vouched, ...identity });
};

const sayTaken = (rooms: ToLinkRooms, identity: Identity, cookies: readonly string[]): Response => {
  const { branding, stylesheetPath, accountPath, pages } = rooms;
  const found = shown(rooms, identity);
  return plainPage(pages.taken({ branding, stylesheetPath, accountPath, found }), cookies);
};

const ask = async (
  rooms: ToLinkRooms,
  { visit }: Return,
  session: LivingSession,
  identity: Identity,
  cookies: readonly string[],
): Promise<Response> => {
  const { vault, now, branding, stylesheetPath, confirmLinkPath, pages } = rooms;
  const stored = await storedIdentity(identity, vault);
  const { csrf, setCookies } = await bindBrowser(
    readCookies(visit.request),
    rooms.randomBytes,
    rooms.lifetimes.consent,
  );
  const html = pages.link({
    branding,
    stylesheetPath,
    action: confirmLinkPath,
    link: await vault.pendingLink.seal({
      session: session.grantId,
      provider: stored.provider,
      subject: stored.subject,
      label: stored.label,
      sealedRefreshToken: stored.sealedRefreshToken,
      tokenNames: stored.tokenNames,
      expiresAt: now() + proofLifetime,
    }),
    form: await sealAccountForm(rooms, csrf, session.grantId),
    current: shown(rooms, session.identity),
    found: shown(rooms, identity),
  });
  return plainPage(html, [...cookies, ...setCookies]);
};

const shown = (
  { providers }: ToLinkRooms,
  { provider, label }: { readonly provider: string; readonly label?: string },
) => ({
  provider: providers.get(provider)?.label ?? provider,
  ...(label !== undefined && { label }),
});
