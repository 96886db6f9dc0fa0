/** The door for what goes wrong before an answer may redirect: a page for the person, with a reference to quote. */
import { type BrokerContext, defaultPages, type Pages, paths } from '../context.ts';
import { errorPageResponse } from '../http/responses.ts';
import type { ErrorReason } from '../oauth/error-catalog.ts';
import { ProtocolError } from '../oauth/errors.ts';
import type { ErrorModel } from '../ui/error.ts';
import { logProtocolError, type RequestContext } from './handler.ts';

/** @param theirs the title of what went wrong on the other side; ours is said alike everywhere */
export const createErrorPageResponder =
  (
    { pages, branding }: Pick<BrokerContext, 'pages' | 'branding'>,
    clientErrorTitle = 'This sign-in cannot go on',
  ) =>
  (protocolError: ProtocolError, requestContext: RequestContext): Response => {
    const title =
      titles[protocolError.reason] ??
      (protocolError.status < 500 ? clientErrorTitle : 'Something is out of order');
    const { requestId: reference } = requestContext;
    const model = {
      branding,
      title,
      message: protocolError.description,
      reference,
      stylesheetPath: paths.stylesheet,
    };
    return errorPageResponse(renderErrorPage(pages, model, requestContext), protocolError);
  };

/** The reasons that have their own heading. */
const titles: Partial<Readonly<Record<ErrorReason, string>>> = {
  'request.prefetch': 'This page was not loaded in advance',
  'user.limited': 'Too many sign-ins',
  'consent.no-cookies': 'Cookies are required',
  'account-form.no-cookies': 'Cookies are required',
  'transaction.no-cookies': 'Cookies are required',
};

/** A page of the publisher's that fails must not hide from the person what went wrong before it. */
const renderErrorPage = ({ error }: Pages, model: ErrorModel, requestContext: RequestContext): string => {
  try {
    return error(model);
  } catch (cause) {
    logProtocolError(new ProtocolError('unexpected', { cause }), requestContext);
    return defaultPages.error(model);
  }
};
