/** Back from the provider on the account page's behalf: the person gets a session, which is a grant like any other. */

import { paths } from '../context.ts';
import { clearCookie, readCookies } from '../http/cookies.ts';
import { bindBrowser } from '../http/csrf.ts';
import { plainPage, seeOther } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import type { GrantId, Identity, UserId } from '../oauth/identifiers.ts';
import { type CallbackHandler, completedBy, identityOf, type Return } from '../sign-in/callback.ts';
import {
  admitEverybody,
  parseAdmission,
  recordWithinLimits,
  signInOf,
  storedIdentity,
} from '../sign-in/resolve-user.ts';
import { keepSession, type LivingSession, readSession, useSession } from '../sign-in/session.ts';
import { proofLifetime } from '../tokens/lifetimes.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { keepNotice, sealAccountForm } from './forms.ts';

/** Completes a sign-in to the account page. */
export const accountCallback = (rooms: AccountContext): CallbackHandler<'account'> => ({
  complete: (back, { user }) => toAccount(rooms, back, user),
  destination: () => ({ kind: 'account', url: accountPaths.page }),
});

/** Completes the linking of an identity. */
export const linkCallback = (rooms: AccountContext): CallbackHandler<'link'> => ({
  complete: (back, begun) => toLink(rooms, back, begun),
  destination: () => ({ kind: 'account', url: accountPaths.page }),
});

/** @param user whom the person has to prove to be; left out, whoever they are */
const toAccount = async (
  rooms: AccountContext,
  back: Return,
  user: UserId | undefined,
): Promise<Response> => {
  const { visit, provider, journey, cookie } = back;
  const accountUrl = rooms.issuer + accountPaths.page;
  const gone = clearCookie(cookie);
  const identity = await identityOf(rooms, back);
  const confirmed = identity !== undefined && (await mayBe(rooms, identity, user));
  if (!confirmed) return seeOther(accountUrl, [gone, keepNotice('not-confirmed')]);
  await begin(rooms, journey.grantId, identity, user);
  await endEarlier(rooms, visit.request);
  visit.log({ event: 'signed-in', clientId: rooms.account.id, provider: provider.id });
  const session = await keepSession(rooms, journey.grantId, identity);
  const completed = await completedBy(rooms, back);
  return seeOther(accountUrl, [...completed, session, ...(user === undefined ? [] : [keepNotice('proven')])]);
};

/** Looked up first: whoever is to prove that they are somebody does not become somebody new by it. */
const mayBe = async ({ ledger }: AccountContext, identity: Identity, user: UserId | undefined) =>
  user === undefined || (await ledger.findUser(identity)) === user;

const begin = async (
  rooms: AccountContext,
  id: GrantId,
  identity: Identity,
  user: UserId | undefined,
): Promise<void> => {
  const { ledger, issuer, account, lifetimes, now } = rooms;
  const [redirect] = account.redirects;
  const redirectUri = redirect?.kind === 'exact' ? redirect.uri : issuer;
  const asked = { id, redirectUri, scopes: account.scopes, resource: issuer };
  const outcome = await recordWithinLimits(ledger, await signInOf(rooms, asked, account, identity));
  if (outcome.kind !== 'recorded') throw new Refusal('transaction.replayed');
  // Unlinked at this very moment: then it is somebody else's sign-in by now, and no proof.
  if (user !== undefined && outcome.userId !== user) throw new Refusal('session.changed');
  const at = now();
  const redeemed = await ledger.redeemCode({
    ...{ grantId: id, clientId: account.id, now: at, replayGrace: 0 },
    codeExpiresAt: at + 1,
    // No access token comes from it.
    accessExpiresAt: at,
    refreshIdleExpiresAt: at + Math.min(lifetimes.sessionIdle, lifetimes.sessionAbsolute),
    refreshAbsoluteExpiresAt: at + lifetimes.sessionAbsolute,
  });
  // Ended at this very moment, with all that is theirs or with the identity: no session, and no earlier one to be replaced.
  if (redeemed.kind !== 'redeemed') throw new Refusal('session.changed');
};

/** A session that this one takes the place of lives in no other browser. */
const endEarlier = async (rooms: AccountContext, request: Request): Promise<void> => {
  const earlier = await readSession(request, rooms);
  if (earlier === undefined) return;
  const target = { kind: 'grant', id: earlier.grantId } as const;
  await rooms.ledger.revoke(target, 'signed in anew', rooms.now(), 'user');
};

// Back from the provider with one more identity for the person in this session. Nothing is written yet: a page shows both accounts and asks.

const toLink = async (
  rooms: AccountContext,
  back: Return,
  begun: { readonly session: string; readonly user: UserId },
): Promise<Response> => {
  const accountUrl = rooms.issuer + accountPaths.page;
  const gone = clearCookie(back.cookie);
  const session = await useSession(back.visit.request, rooms);
  // Signed out, or signed in as somebody else, while they were away.
  if (session?.grantId !== begun.session || session.userId !== begun.user)
    throw new Refusal('session.changed');
  const identity = await identityOf(rooms, back);
  if (identity === undefined) return seeOther(accountUrl, [gone, keepNotice('link-cancelled')]);
  const found = await standing(rooms, identity, session);
  const completed = await completedBy(rooms, back);
  back.deliveries.remember(back.journey.state);
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
  rooms: AccountContext,
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

const userNamed = async (
  { admit, account }: AccountContext,
  identity: Identity,
): Promise<UserId | undefined> => parseAdmission(await admit(identity, account)).userId;

/** As whom the publisher knows who is signed in. */
const currentlyNamed = async (
  rooms: AccountContext,
  { identity, vouched }: LivingSession,
): Promise<UserId | undefined> => {
  if (rooms.admit === admitEverybody) return undefined;
  // Without what the provider said of them the publisher cannot be asked.
  if (vouched === undefined) throw new Refusal('admission.link');
  return userNamed(rooms, { ...vouched, ...identity });
};

const sayTaken = (rooms: AccountContext, identity: Identity, cookies: readonly string[]): Response => {
  const { branding, accountPages } = rooms;
  const found = shown(rooms, identity);
  return plainPage(
    accountPages.taken({ branding, stylesheetPath: paths.stylesheet, accountPath: accountPaths.page, found }),
    cookies,
  );
};

const ask = async (
  rooms: AccountContext,
  { visit }: Return,
  session: LivingSession,
  identity: Identity,
  cookies: readonly string[],
): Promise<Response> => {
  const { vault, now, branding } = rooms;
  const stored = await storedIdentity(identity, vault);
  const { csrf, setCookies } = await bindBrowser(
    readCookies(visit.request),
    rooms.randomBytes,
    rooms.lifetimes.consent,
  );
  const html = rooms.accountPages.link({
    branding,
    stylesheetPath: paths.stylesheet,
    action: accountPaths.confirmLink,
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
  { providers }: AccountContext,
  { provider, label }: { readonly provider: string; readonly label?: string },
) => ({
  provider: providers.get(provider)?.label ?? provider,
  ...(label !== undefined && { label }),
});
