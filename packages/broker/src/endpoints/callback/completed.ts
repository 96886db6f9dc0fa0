/** Shows the page for a callback that arrives again after it was handled. The client gets no second response: it would replace the first. */
import { findWayBack } from '../../doors/redirect-back.ts';
import { completedPage } from '../../http/respond.ts';
import type { CompletedModel } from '../../pages/completed-page.ts';
import type { Completion } from '../../tokens/transaction.ts';
import type { ToAccountRooms } from './to-account.ts';
import type { ToClientRooms } from './to-client.ts';

type CompletedRooms = Pick<ToClientRooms & ToAccountRooms, 'ledger' | 'registry' | 'issuer' | 'accountPath'> &
  Pick<ToClientRooms, 'pages' | 'branding' | 'stylesheetPath'>;

/** @throws Refusal if the client or its redirect URI is no longer registered */
export const showCompleted = async (
  rooms: CompletedRooms,
  { errand, grantId }: Pick<Completion, 'errand' | 'grantId'>,
): Promise<Response> => {
  const { branding, stylesheetPath, pages } = rooms;
  const destination = destinationOf(rooms, errand);
  const outcome = errand.kind === 'link' ? 'linked' : await outcomeOf(rooms, grantId);
  return completedPage(pages.completed({ branding, stylesheetPath, outcome, destination }));
};

const outcomeOf = async ({ ledger }: CompletedRooms, grantId: string): Promise<CompletedModel['outcome']> =>
  (await ledger.grantStatus(grantId)) === 'active' ? 'signed-in' : 'ended';

const destinationOf = (
  rooms: CompletedRooms,
  errand: Completion['errand'],
): CompletedModel['destination'] => {
  switch (errand.kind) {
    case 'authorize': {
      const { client, way } = findWayBack(rooms, { ...errand, state: undefined });
      const url = websiteOf(way.redirect);
      return { kind: 'client', name: client.name, ...(url !== undefined && { url }) };
    }
    case 'account':
    case 'link':
      return { kind: 'account', url: rooms.accountPath };
  }
};

/** The origin of the redirect URI, never the URI itself. Private-use schemes and loopback addresses belong to apps, not websites. */
const websiteOf = (redirect: string): string | undefined => {
  const { protocol, origin } = new URL(redirect);
  return protocol === 'https:' ? `${origin}/` : undefined;
};
