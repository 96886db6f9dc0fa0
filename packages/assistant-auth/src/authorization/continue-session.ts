/**
 * Going on to a client as who is signed in at the account page: the provider is asked first, as at a refresh, and only a person
 * who lives there goes on. Consent is given each time: no client is ever remembered.
 */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { randomId } from '../oauth/secrets.ts';
import { heedProvider } from '../sign-in/provider-recheck.ts';
import { recordWithinLimits, signInOf } from '../sign-in/resolve-user.ts';
import { forgetSession, type LivingSession, useSession } from '../sign-in/session.ts';
import { LedgerUnavailable } from '../storage/broker-storage.ts';
import { keepAlive } from '../storage/write-with-retry.ts';
import { checkLease } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import type { SignInModel } from '../ui/sign-in.ts';

type SessionContext = Pick<BrokerContext, 'vault' | 'ledger' | 'lifetimes' | 'now'>;

/** The session that may be gone on in, or why none may. */
export interface Earlier {
  readonly session?: string;
  readonly shown?: NonNullable<SignInModel['session']>;
  readonly notice?: NonNullable<SignInModel['notice']>;
}

/** Finds the session that the page may offer. Without storage nothing is offered, and the page stands all the same. */
export const offerOf = async (
  request: Request,
  rooms: SessionContext & Pick<BrokerContext, 'providers'>,
): Promise<Earlier> => {
  const session = await useSession(request, rooms).catch((error: unknown) => {
    if (error instanceof LedgerUnavailable) return undefined;
    throw error;
  });
  const provider = rooms.providers.get(session?.identity.provider ?? '');
  if (session === undefined || provider === undefined || !mayGoOn(session)) return {};
  const { label } = session.identity;
  return {
    session: session.grantId,
    shown: { provider: provider.label, ...(label !== undefined && { label }) },
  };
};

/** Who cannot be asked about signs in at the provider, and so does who would be unknown to `admit`. */
const mayGoOn = ({ identity, vouched }: LivingSession): boolean => identity.watched && vouched !== undefined;

export type GoingOn =
  | { readonly kind: 'recorded'; readonly grantId: string }
  /** Why not, for the page; and what is set with it. */
  | { readonly kind: 'stopped'; readonly earlier: Earlier; readonly cookies: readonly string[] };

/**
 * Records a sign-in on the strength of the session.
 * @param offered the session that the page offered
 * @throws Refusal from `admit`, which is called at every sign-in, or `user.limited`
 */
export const goOn = async (
  rooms: BrokerContext,
  browser: Request,
  offered: string | undefined,
  client: Client,
  { redirectUri, scopes, resource }: AuthorizationRequest,
): Promise<GoingOn> => {
  const session = await useSession(browser, rooms);
  if (session === undefined) return ended;
  // Somebody else may have signed in since: nobody goes on as a person whom the page did not name.
  if (session.grantId !== offered || session.vouched === undefined) return notVouched;
  // A word of its own may still hold when a provider is taken away; it counts no longer.
  if (!rooms.providers.has(session.identity.provider)) return notVouched;
  switch (await keepAlive(rooms, askAbout(rooms, session))) {
    case 'gone':
      return ended;
    case 'no-word':
      return notVouched;
    case 'alive': {
      const grantId = randomId(rooms.randomBytes);
      const identity = { ...session.vouched, ...session.identity };
      const asked = { id: grantId, redirectUri, scopes, resource };
      const signIn = await signInOf(rooms, asked, client, identity);
      const outcome = await recordWithinLimits(rooms.ledger, { ...signIn, session: session.grantId });
      return outcome.kind === 'recorded' ? { kind: 'recorded', grantId } : ended;
    }
  }
};

const ended: GoingOn = {
  kind: 'stopped',
  earlier: { notice: 'session-ended' },
  cookies: [forgetSession()],
};

const notVouched: GoingOn = { kind: 'stopped', earlier: { notice: 'not-vouched' }, cookies: [] };

const askAbout = async (rooms: BrokerContext, { identity }: LivingSession) => {
  const { provider, subject } = identity;
  const turn = await rooms.ledger.takeCheck({ provider, subject, now: rooms.now(), checkLease });
  switch (turn.kind) {
    case 'vouched':
      return 'alive';
    case 'due':
      return heedProvider(rooms, turn.token);
    case 'no-word':
      return 'no-word';
  }
};
