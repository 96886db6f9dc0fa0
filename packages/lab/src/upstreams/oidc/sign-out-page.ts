/** The stand-in issuer's pages for signing out there, in the library's own way: it makes the form, and lacks the button. */
import { page } from './page.ts';

/** As much of the library's context as a page needs. */
interface Answer {
  body: string;
}

export const signOutPage = (answer: Answer, form: string): void => {
  const button = '<button name="logout" value="yes">Sign out</button>';
  answer.body = page(
    'Sign out at the stand-in issuer',
    `<h1>Sign out</h1>
<p>Words With Chat is told, and ends what was to last while you are signed in.</p>
${form.replace('</form>', `${button}</form>`)}`,
  );
};

export const signedOutPage = (answer: Answer): void => {
  answer.body = page('Signed out', '<h1>You are signed out</h1>');
};
