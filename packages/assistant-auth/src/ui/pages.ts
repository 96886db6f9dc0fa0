/** The seam where a publisher puts other pages in place of ours. */
import { type CompletedModel, type ErrorModel, renderCompletedPage, renderErrorPage } from './error.ts';
import { renderSignInPage, type SignInModel } from './sign-in.ts';
import { stylesheet } from './stylesheet.ts';

/**
 * What the broker shows to people. A replacement returns whole documents, escapes every value (`html` does) and runs under
 * a CSP without script, inline style or foreign origins. Its sign-in page is the consent: it shows client, host, scopes
 * and a way out, and its form posts to `action` what `renderSignInPage` posts. So do the forms of the account's pages.
 */
export interface Pages {
  readonly signIn: (model: SignInModel) => string;
  readonly error: (model: ErrorModel) => string;
  /** Says that a callback which arrived again was handled before. */
  readonly completed: (model: CompletedModel) => string;
  /** CSS served at `stylesheetPath`; rules added to the default's are enough for other colours. */
  readonly stylesheet: string;
}

/** The broker's own pages. */
export const defaultPages: Pages = {
  signIn: renderSignInPage,
  error: renderErrorPage,
  completed: renderCompletedPage,
  stylesheet,
};
