/** Responds to an error with a page for the user, which shows the request ID as a reference. */
import { type BrokerContext, defaultPages, type Pages, paths } from '../context.ts';
import { errorPageResponse } from '../http/responses.ts';
import type { ErrorReason, ProtocolError } from '../oauth/protocol-error.ts';
import type { ErrorModel } from '../ui/error.ts';
import { logPageFailure, type RequestContext } from './handler.ts';

/**
 * Creates the `respondToError` of an endpoint with pages.
 * @param clientErrorTitle the title for statuses below 500, unless the error has its own; server errors have
 *   the same title everywhere
 */
export const createErrorPageResponder =
  (
    { pages, branding }: Pick<BrokerContext, 'pages' | 'branding'>,
    clientErrorTitle = 'We couldn’t sign you in',
  ) =>
  (
    protocolError: ProtocolError,
    requestContext: RequestContext,
    destination?: ErrorModel['destination'],
    cookies?: readonly string[],
  ): Response => {
    const { refusal } = protocolError;
    const title = refusal
      ? branding.texts.refused
      : (titles[protocolError.reason] ??
        (protocolError.status < 500 ? clientErrorTitle : 'Something went wrong'));
    const { requestId: reference } = requestContext;
    const model = {
      branding,
      title,
      // The description is ASCII, because clients get it, too.
      message: protocolError.description.replaceAll("'", '’'),
      reference,
      stylesheetPath: paths.stylesheet,
      ...(destination !== undefined && { destination }),
      ...refusal,
    };
    return errorPageResponse(renderErrorPage(pages, model, requestContext), protocolError, cookies);
  };

/** The titles of errors that have their own. */
const titles: Partial<Readonly<Record<ErrorReason, string>>> = {
  'request.prefetch': 'Open this page again',
  'user.limited': 'Too many sign-ins',
  'provider.changed': 'This sign-in method is unavailable',
  'consent.no-cookies': 'Cookies are required',
  'account-form.no-cookies': 'Cookies are required',
  'transaction.no-cookies': 'Cookies are required',
};

/**
 * Renders the publisher's error page. If that throws, renders the default page, so that the user still sees
 * the original error.
 */
const renderErrorPage = ({ error }: Pages, model: ErrorModel, requestContext: RequestContext): string => {
  try {
    return error(model);
  } catch (cause) {
    logPageFailure(cause, requestContext);
    return defaultPages.error(model);
  }
};
