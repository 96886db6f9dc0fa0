/** The stand-in issuer's page for signing in: a button for every person, and one to refuse. */
import type { Person } from '../people.ts';
import { page } from './page.ts';

export const choicePage = (people: readonly Person[]): string =>
  page(
    'Sign in at the stand-in issuer',
    `<h1>Sign in</h1>
<p>Words With Chat asks who you are. It will learn your name and your e-mail address.</p>
<form method="post">
${people.map(button).join('\n')}
<button name="email" value="">Refuse</button>
</form>`,
  );

const button = ({ name, email }: Person): string =>
  `<button name="email" value="${escapeText(email)}">${escapeText(name)} <small>${escapeText(email)}</small></button>`;

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
