/** What the forms of the account page share: whose they are, in which session, and whether the person proved it just now. */
import type { EndpointPlan, Visit } from '../../doors/endpoint.ts';
import { keepNotice, type Notice } from '../../doors/notice.ts';
import { createPageDoor } from '../../doors/page-door.ts';
import { readCookies } from '../../http/cookies.ts';
import { readForm } from '../../http/form.ts';
import { seeOther } from '../../http/respond.ts';
import { Refusal } from '../../protocol/errors.ts';
import { type Parameters, readParameters } from '../../protocol/parameters.ts';
import { openAccountForm } from '../../sign-in/account-form.ts';
import { clearSession, type LivingSession, proofOf, useSession } from '../../sign-in/session.ts';
import type { AccountForm } from '../../tokens/session.ts';
import type { AccountRooms } from './rooms.ts';

export interface FormPlan<Field extends string> {
  /** Of the endpoint. */
  readonly name: string;
  readonly fields: readonly Field[];
}

/** A form that was posted from a page of this browser. */
export interface Posted<Field extends string> {
  readonly visit: Visit;
  readonly fields: Parameters<Field>;
  readonly cookies: ReadonlyMap<string, string>;
}

/** Makes the endpoint of a form that needs nobody to be signed in. */
export const openForm = <Field extends string>(
  rooms: AccountRooms,
  { name, fields: known }: FormPlan<Field>,
  handle: (posted: Posted<Field>, form: AccountForm) => Promise<Response>,
): EndpointPlan => ({
  name,
  methods: ['POST'],
  refuse: createPageDoor(rooms, 'Nothing was changed'),
  async handle(visit) {
    const body = await readForm(visit.request);
    const { form: sealed } = readParameters(body, ['form']);
    const cookies = readCookies(visit.request);
    const form = await openAccountForm(rooms, visit.request, sealed, cookies);
    return handle({ visit, fields: readParameters(body, known), cookies }, form);
  },
});

/** Makes the endpoint of a form that belongs to a session, which must still live in this browser. */
export const sessionForm = <Field extends string>(
  rooms: AccountRooms,
  plan: FormPlan<Field>,
  handle: (posted: Posted<Field>, session: LivingSession) => Promise<Response>,
): EndpointPlan =>
  openForm(rooms, plan, async (posted, form) => {
    const session = await useSession(posted.visit.request, rooms);
    if (session === undefined) return backToAccount(rooms, 'session-ended', clearSession(posted.cookies));
    // Shown to one person, posted by another who has signed in since.
    if (session.grantId !== form.session) throw new Refusal('session.changed');
    return handle(posted, session);
  });

/** The same for what must not be done by whoever finds a browser that somebody left open. */
export const provenForm = <Field extends string>(
  rooms: AccountRooms,
  plan: FormPlan<Field>,
  handle: (posted: Posted<Field>, session: LivingSession) => Promise<Response>,
): EndpointPlan =>
  sessionForm(rooms, plan, async (posted, session) =>
    proofOf(session, rooms.now) === 'fresh' ? handle(posted, session) : backToAccount(rooms, 'proof-needed'),
  );

/** Sends the browser to the account page, which says what has happened. */
export const backToAccount = (
  { issuer, accountPath }: AccountRooms,
  notice: Notice,
  cookies: readonly string[] = [],
): Response => seeOther(issuer + accountPath, [keepNotice(notice), ...cookies]);
