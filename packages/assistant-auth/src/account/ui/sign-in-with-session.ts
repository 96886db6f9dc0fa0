/**
 * Renders the sign-in page of a broker with an account page: it can offer to continue in the session of the
 * account page, or explain why it does not.
 */
import { continueChoice } from '../../oauth/identifiers.ts';
import { fillText, type Html, html, type IdentitySummary, renderName } from '../../ui/layout.ts';
import { renderSignInPage, type SignInModel, type SignInNotice } from '../../ui/sign-in.ts';
import type { ParsedTexts } from '../../ui/texts.ts';

/**
 * Renders the sign-in page of a broker with an account page, for a function in `pages` that changes it. The
 * form can also post the choice `continue`, which continues in the session.
 * @param model the data of the page
 * @example
 * ```ts
 * import type { SignInModel } from 'assistant-auth';
 * import { renderSignInPageWithSession } from 'assistant-auth/account';
 *
 * const signIn = (model: SignInModel): string =>
 *   renderSignInPageWithSession({ ...model, providers: model.providers.toReversed() });
 * ```
 */
export const renderSignInPageWithSession = (model: SignInModel): string => {
  const { session, notice, branding } = model;
  const { texts } = branding;
  return renderSignInPage(model, {
    button: session && renderContinueButton(session, texts),
    notice: notice && fillText(texts[noticeTexts[notice]]),
  });
};

const renderContinueButton = ({ label, provider }: IdentitySummary, texts: ParsedTexts): Html =>
  html`<button class="main" name="choice" value="${continueChoice}"><span>${
    label === undefined
      ? fillText(texts.continueSession, { provider: renderName(provider) })
      : fillText(texts.continueAs, { user: renderName(label), provider: renderName(provider) })
  }</span></button>
<p class="or">${fillText(texts.otherWay)}</p>`;

const noticeTexts = {
  'session-ended': 'sessionEnded',
  'provider-not-confirmed': 'providerNotConfirmed',
  'sign-in-too-old': 'signInTooOld',
} as const satisfies Readonly<Record<SignInNotice, keyof ParsedTexts>>;
