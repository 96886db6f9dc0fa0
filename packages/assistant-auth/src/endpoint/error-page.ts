/** The door for what goes wrong before an answer may redirect: a page for the person, with a reference to quote. */
import { type BrokerContext, paths } from '../context.ts';
import { errorPage } from '../http/responses.ts';
import type { Reason } from '../oauth/error-catalog.ts';
import { Refusal } from '../oauth/errors.ts';
import type { ErrorModel } from '../ui/error.ts';
import { defaultPages, type Pages } from '../ui/pages.ts';
import { logRefusal, type Visit } from './handler.ts';

/** @param theirs the title of what went wrong on the other side; ours is said alike everywhere */
export const createPageDoor =
  ({ pages, branding }: Pick<BrokerContext, 'pages' | 'branding'>, theirs = 'This sign-in cannot go on') =>
  (refusal: Refusal, visit: Visit): Response => {
    const title = titles[refusal.reason] ?? (refusal.status < 500 ? theirs : 'Something is out of order');
    const { requestId: reference } = visit;
    const model = {
      branding,
      title,
      message: refusal.description,
      reference,
      stylesheetPath: paths.stylesheet,
    };
    return errorPage(render(pages, model, visit), refusal);
  };

/** The reasons that have their own heading. */
const titles: Partial<Readonly<Record<Reason, string>>> = {
  'request.prefetch': 'This page was not loaded in advance',
  'user.limited': 'Too many sign-ins',
  'consent.no-cookies': 'Cookies are required',
  'account-form.no-cookies': 'Cookies are required',
  'transaction.no-cookies': 'Cookies are required',
};

/** A page of the publisher's that fails must not hide from the person what went wrong before it. */
const render = ({ error }: Pages, model: ErrorModel, visit: Visit): string => {
  try {
    return error(model);
  } catch (cause) {
    logRefusal(new Refusal('unexpected', { cause }), visit);
    return defaultPages.error(model);
  }
};
