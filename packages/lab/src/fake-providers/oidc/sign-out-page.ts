/**
 * Renders the sign-out pages of the fake OpenID Connect issuer. `oidc-provider` creates the form, and this
 * file adds its button.
 */
import { renderPage } from './page.ts';

/** The part of the package's context that a page needs. */
interface KoaContext {
  body: string;
}

export const renderSignOutPage = (context: KoaContext, form: string): void => {
  const button = '<button name="logout" value="yes">Sign out</button>';
  context.body = renderPage(
    'Sign out at the fake provider',
    `<h1>Sign out</h1>
<p>Words With Chat is told, and ends what was to last while you are signed in.</p>
${form.replace('</form>', `${button}</form>`)}`,
  );
};

export const renderSignedOutPage = (context: KoaContext): void => {
  context.body = renderPage('Signed out', '<h1>You are signed out</h1>');
};
