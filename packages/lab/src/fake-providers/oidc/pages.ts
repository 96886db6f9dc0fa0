/** Renders the pages of the fake OpenID Connect issuer: the account chooser, and the sign-out pages. */
import type { FakeUser } from '../users.ts';

/** A button for each user, and one that cancels. */
export const renderAccountChooser = (fakeUsers: readonly FakeUser[]): string =>
  renderPage(
    'Sign in to the fake provider',
    `<h1>Sign in</h1>
<p>Words With Chat wants to know who you are. It will get your name and email address.</p>
<form method="post">
${fakeUsers.map(renderButton).join('\n')}
<button name="email" value="">Cancel</button>
</form>`,
  );

/** The part of the package's context that a page needs. */
interface KoaContext {
  body: string;
}

/** `oidc-provider` creates the form, and this function adds its button. */
export const renderSignOutPage = (context: KoaContext, form: string): void => {
  const button = '<button name="logout" value="yes">Sign out</button>';
  context.body = renderPage(
    'Sign out of the fake provider',
    `<h1>Sign out</h1>
<p>Words With Chat is notified, and ends all access that lasts only while you are signed in here.</p>
${form.replace('</form>', `${button}</form>`)}`,
  );
};

export const renderSignedOutPage = (context: KoaContext): void => {
  context.body = renderPage('Signed out', '<h1>You are signed out</h1>');
};

const renderButton = ({ name, email }: FakeUser): string =>
  `<button name="email" value="${escapeText(email)}">${escapeText(name)} <small>${escapeText(email)}</small></button>`;

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** The layout of all pages. */
const renderPage = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
form { display: grid; gap: 0.75rem; }
button { padding: 0.75rem; font: inherit; cursor: pointer; }
small { display: block; }
</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
