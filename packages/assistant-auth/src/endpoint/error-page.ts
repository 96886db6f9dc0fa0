/** Responds to an error with a page for the user, which shows the request ID as a reference. */
import { type BrokerContext, defaultPages, type Pages, paths } from '../context.ts';
import { errorPageResponse } from '../http/responses.ts';
import type { ErrorReason, ProtocolError } from '../oauth/protocol-error.ts';
import type { ErrorModel } from '../ui/error.ts';
import type { SignInTexts } from '../ui/texts.ts';
import { logPageFailure, type RequestContext } from './handler.ts';

/**
 * Creates the `respondToError` of an endpoint with pages.
 * @param clientErrorTitle the name of the title for statuses below 500, unless the error has its own; server
 *   errors have the same title everywhere
 */
export const createErrorPageResponder =
  (
    { pages, branding: localizedBranding }: Pick<BrokerContext, 'pages' | 'branding'>,
    clientErrorTitle: 'notSignedIn' | 'nothingChanged' = 'notSignedIn',
  ) =>
  (
    protocolError: ProtocolError,
    requestContext: RequestContext,
    destination?: ErrorModel['destination'],
    cookies?: readonly string[],
  ): Response => {
    const { reason, description, status, refusal } = protocolError;
    const branding = localizedBranding.select(requestContext.request);
    const title = refusal ? 'refused' : (titles[reason] ?? (status < 500 ? clientErrorTitle : 'failed'));
    const messages: Partial<Readonly<Record<ErrorReason, string>>> = branding.texts;
    const message = messages[reason];
    const model = {
      branding,
      title: branding.texts[title],
      ...(message === undefined
        ? { message: branding.texts.invalidRequest, detail: description }
        : { message }),
      reference: requestContext.requestId,
      stylesheetPath: paths.stylesheet,
      ...(destination !== undefined && { destination }),
      ...refusal,
    };
    return errorPageResponse(renderErrorPage(pages, model, requestContext), protocolError, cookies);
  };

/** The names of the titles of errors that have their own. */
const titles: Partial<Readonly<Record<ErrorReason, keyof SignInTexts>>> = {
  'request.prefetch': 'openAgain',
  'user.limited': 'tooManySignIns',
  'provider.changed': 'providerUnavailable',
  'consent.no-cookies': 'cookiesRequired',
  'account-form.no-cookies': 'cookiesRequired',
  'transaction.no-cookies': 'cookiesRequired',
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
