/**
 * Renders the account chooser of the fake OpenID Connect issuer: a button for each person, and one to refuse.
 */
import type { FakeUser } from '../users.ts';
import { renderPage } from './page.ts';

export const renderAccountChooser = (fakeUsers: readonly FakeUser[]): string =>
  renderPage(
    'Sign in at the fake provider',
    `<h1>Sign in</h1>
<p>Words With Chat asks who you are. It will learn your name and your e-mail address.</p>
<form method="post">
${fakeUsers.map(renderButton).join('\n')}
<button name="email" value="">Refuse</button>
</form>`,
  );

const renderButton = ({ name, email }: FakeUser): string =>
  `<button name="email" value="${escapeText(email)}">${escapeText(name)} <small>${escapeText(email)}</small></button>`;

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
