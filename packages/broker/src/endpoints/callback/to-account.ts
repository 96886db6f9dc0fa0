/** Back from the provider on the account page's behalf: the person gets a session, which is a grant like any other. */
import type { PublicClient } from '../../clients/client.ts';
import { keepNotice } from '../../doors/notice.ts';
import { clearCookie } from '../../http/cookies.ts';
import { seeOther } from '../../http/respond.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { GrantId, Identity, UserId } from '../../protocol/identity.ts';
import type { Issuer } from '../../protocol/origin.ts';
import { type AdmissionRooms, recordWithinLimits, signInOf } from '../../sign-in/admission.ts';
import { keepSession, readSession, type SessionRooms } from '../../sign-in/session.ts';
import type { Vault } from '../../tokens/vault.ts';
import { completedBy, identityOf, type LegRooms, type Return } from './return.ts';

export interface ToAccountRooms extends SessionRooms, AdmissionRooms, LegRooms {
  readonly issuer: Issuer;
  readonly accountPath: string;
  readonly account: PublicClient;
  readonly vault: Vault;
}

/** @param user whom the person has to prove to be; left out, whoever they are */
export const toAccount = async (
  rooms: ToAccountRooms,
  back: Return,
  user: UserId | undefined,
): Promise<Response> => {
  const { visit, provider, journey, cookie } = back;
  const accountUrl = rooms.issuer + rooms.accountPath;
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
const mayBe = async ({ ledger }: ToAccountRooms, identity: Identity, user: UserId | undefined) =>
  user === undefined || (await ledger.findUser(identity)) === user;

const begin = async (
  rooms: ToAccountRooms,
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
const endEarlier = async (rooms: ToAccountRooms, request: Request): Promise<void> => {
  const earlier = await readSession(request, rooms);
  if (earlier === undefined) return;
  const target = { kind: 'grant', id: earlier.grantId } as const;
  await rooms.ledger.revoke(target, 'signed in anew', rooms.now(), 'user');
};
