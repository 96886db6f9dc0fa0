/** Renders the pages of the fake OpenID Connect issuer: the account chooser, and the sign-out pages. */
import { renderAccountChooser, renderPage } from '../account-chooser.ts';
import type { FakeUser } from '../users.ts';

/** Each button posts the email address of a user; the one that cancels posts an empty one. */
export const renderIssuerAccountChooser = (fakeUsers: readonly FakeUser[]): string =>
  renderAccountChooser({
    provider: 'Acme',
    accounts: fakeUsers.map((user) => ({ user, form: buildForm(user.email) })),
    cancel: buildForm(''),
  });

const buildForm = (email: string) => ({ method: 'POST', action: '', fields: [['email', email]] }) as const;

/** The part of the package's context that a page needs. */
interface KoaContext {
  body: string;
}

/** `oidc-provider` creates the form, and this function adds its button. */
export const renderSignOutPage = (context: KoaContext, form: string): void => {
  const button = '<button name="logout" value="yes">Sign out</button>';
  context.body = renderPage(
    'Sign out of fake Acme',
    `<h1>Sign out of fake Acme</h1>
<p>Words With Chat is notified, and ends all access that lasts only while you are signed in here.</p>
${form.replace('</form>', `${button}</form>`)}`,
  );
};

export const renderSignedOutPage = (context: KoaContext): void => {
  context.body = renderPage('Signed out of fake Acme', '<h1>You are signed out of fake Acme</h1>');
};
