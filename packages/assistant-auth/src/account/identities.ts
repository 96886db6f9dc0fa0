/** `POST`s that change with whom a person signs in: to a provider for one more, the answer to whether to add it, and one less. */
import type { EndpointPlan } from '../endpoint/handler.ts';
import { encodeBase64url } from '../oauth/base64url.ts';
import { Refusal } from '../oauth/errors.ts';
import { sendToProvider } from '../sign-in/login-transaction.ts';
import { forgetSession, type LivingSession } from '../sign-in/session.ts';
import type { IdentityName } from '../storage/broker-storage.ts';
import type { PendingLink } from '../tokens/sealed-types.ts';
import type { AccountContext } from './context.ts';
import { revokeAtProviders } from './export-and-delete.ts';
import { backToAccount, provenForm } from './forms.ts';
import { chosen } from './sign-in.ts';

export const linkEndpoint = (rooms: AccountContext): EndpointPlan =>
  provenForm(rooms, { name: 'link', fields: ['choice'] }, async ({ fields, cookies }, session) => {
    const { grantId, userId } = session;
    const provider = chosen(rooms, fields.choice);
    return sendToProvider(rooms, { kind: 'link', session: grantId, user: userId }, provider, cookies);
  });

export const confirmLinkEndpoint = (rooms: AccountContext): EndpointPlan =>
  provenForm(
    rooms,
    { name: 'confirm-link', fields: ['link', 'confirm', 'cancel'] },
    async ({ visit, fields }, session) => {
      if (fields.cancel !== undefined || fields.confirm === undefined)
        return backToAccount(rooms, 'link-cancelled');
      const identity = await openLink(rooms, fields.link, session);
      const { userId, grantId } = session;
      const outcome = await rooms.ledger.linkIdentity({
        ...{ userId, session: grantId, identity },
        now: rooms.now(),
      });
      switch (outcome) {
        case 'linked':
          visit.log({ event: 'linked', provider: identity.provider });
          return backToAccount(rooms, 'linked');
        // Somebody signed in with it while the page was open.
        case 'taken':
          return backToAccount(rooms, 'not-linked');
        case 'session-ended':
          return backToAccount(rooms, 'session-ended', [forgetSession()]);
      }
    },
  );

export const unlinkEndpoint = (rooms: AccountContext): EndpointPlan =>
  provenForm(rooms, { name: 'unlink', fields: ['identity'] }, async ({ visit, fields }, session) => {
    const { userId, identity: current } = session;
    const { ledger, now } = rooms;
    const { identity, others } = await findIdentity(rooms, session, fields.identity);
    const { provider, subject } = identity;
    // The ledger keeps the last of all; one whose provider was taken away is no way to sign in, either.
    if (!others.some((other) => rooms.providers.has(other.provider)))
      return backToAccount(rooms, 'last-identity');
    const outcome = await ledger.unlinkIdentity({ userId, provider, subject, now: now() });
    switch (outcome.kind) {
      case 'unknown':
        throw new Refusal('account.item');
      case 'last':
        return backToAccount(rooms, 'last-identity');
      case 'unlinked': {
        visit.log({ event: 'unlinked', provider });
        if (outcome.token !== undefined) await revokeAtProviders(rooms, visit, [outcome.token]);
        const isCurrent = provider === current.provider && subject === current.subject;
        return isCurrent
          ? backToAccount(rooms, 'session-ended', [forgetSession()])
          : backToAccount(rooms, 'unlinked');
      }
    }
  });

/** @throws Refusal for what was not found in this session a few minutes ago at most */
const openLink = async (
  { vault, now }: AccountContext,
  sealed: string | undefined,
  { grantId }: LivingSession,
) => {
  const opened = await vault.pendingLink.open(sealed ?? '');
  if (opened.kind === 'unopened') throw new Refusal('link.unreadable', { cause: opened.reason });
  const link: PendingLink = opened.value;
  const { session, expiresAt, provider, subject, label, sealedRefreshToken, tokenNames } = link;
  if (session !== grantId) throw new Refusal('session.changed');
  if (now() >= expiresAt) throw new Refusal('link.expired');
  return {
    ...{ provider, subject },
    ...(label !== undefined && { label }),
    ...(sealedRefreshToken !== undefined && { sealedRefreshToken }),
    ...(tokenNames !== undefined && { tokenNames }),
  };
};

/** @throws Refusal `account.item` for a key that stands for none of theirs */
const findIdentity = async (
  { ledger }: AccountContext,
  { userId, grantId }: LivingSession,
  key: string | undefined,
) => {
  const identities = (await ledger.readAccount(userId))?.identities ?? [];
  for (const identity of identities) {
    if ((await identityKey(identity, grantId)) === key)
      return { identity, others: identities.filter((other) => other !== identity) };
  }
  throw new Refusal('account.item');
};

// What stands for an identity in a form: good in one session alone, and telling nothing of what the provider calls the person.

/** @param session the id of its grant, which no page shows */
export const identityKey = async ({ provider, subject }: IdentityName, session: string): Promise<string> => {
  const text = new TextEncoder().encode(`${session}\0${provider}\0${subject}`);
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', text)));
};
