/** The seam where a publisher puts other pages in place of ours. */
import { type AccountModel, accountPage } from '../account/ui/account-page.ts';
import { type LinkModel, linkPage, type TakenModel, takenPage } from '../account/ui/link-page.ts';
import { type AccountSignInModel, accountSignInPage } from '../account/ui/sign-in-page.ts';
import { type CompletedModel, completedPage, type ErrorModel, errorPage } from './error.ts';
import { type SignInModel, signInPage } from './sign-in.ts';
import { stylesheet } from './stylesheet.ts';

/**
 * What the broker shows to people. A replacement returns whole documents, escapes every value (`html` does) and runs under
 * a CSP without script, inline style or foreign origins. Its sign-in page is the consent: it shows client, host, scopes
 * and a way out, and its form posts to `action` what `signInPage` posts. So do the forms of the account's pages.
 */
export interface Pages {
  readonly signIn: (model: SignInModel) => string;
  readonly error: (model: ErrorModel) => string;
  readonly account: (model: AccountModel) => string;
  readonly accountSignIn: (model: AccountSignInModel) => string;
  /** Asks whether an identity shall be added: a consent, too, so it shows both. */
  readonly link: (model: LinkModel) => string;
  readonly taken: (model: TakenModel) => string;
  /** Says that a callback which arrived again was handled before. */
  readonly completed: (model: CompletedModel) => string;
  /** CSS served at `stylesheetPath`; rules added to the default's are enough for other colours. */
  readonly stylesheet: string;
}

/** The broker's own pages. */
export const defaultPages: Pages = {
  signIn: signInPage,
  error: errorPage,
  account: accountPage,
  accountSignIn: accountSignInPage,
  link: linkPage,
  taken: takenPage,
  completed: completedPage,
  stylesheet,
};
