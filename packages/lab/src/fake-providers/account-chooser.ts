/** Renders the account chooser of every fake provider, and the layout of their other pages. */
import type { FakeUser } from './users.ts';

export interface AccountChooser {
  /** The name of the provider, such as `Google`. */
  readonly provider: string;
  /** In the order of the buttons. */
  readonly accounts: readonly Account[];
  /** The form that cancels the sign-in. */
  readonly cancel: ChoiceForm;
}

export interface Account {
  readonly user: FakeUser;
  /** The form that signs the user in. */
  readonly form: ChoiceForm;
}

/** What a button submits. */
export interface ChoiceForm {
  readonly method: 'GET' | 'POST';
  /** Empty: the URL of the page. */
  readonly action: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A button for each user, and one that cancels. */
export const renderAccountChooser = ({ provider, accounts, cancel }: AccountChooser): string =>
  renderPage(
    `Fake ${provider}`,
    `<h1>Fake ${escapeText(provider)}</h1>
<p><strong>This is a fake provider for development. No real account is used.</strong></p>
<p>Choose who to sign in as. Words With Chat will get the name and the email address.</p>
${accounts.map(({ user, form }) => renderForm(form, renderUser(user))).join('\n')}
${renderForm(cancel, 'Cancel')}`,
  );

const renderUser = ({ name, email }: FakeUser): string =>
  `${escapeText(name)} <small>${escapeText(email)}</small>`;

const renderForm = ({ method, action, fields }: ChoiceForm, label: string): string =>
  `<form method="${method}"${action && ` action="${escapeText(action)}"`}>
${fields.map(([name, value]) => `<input type="hidden" name="${escapeText(name)}" value="${escapeText(value)}">`).join('\n')}
<button>${label}</button>
</form>`;

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Renders a page of a fake provider. */
export const renderPage = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeText(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
form { margin: 0.75rem 0; }
button { width: 100%; padding: 0.75rem; font: inherit; cursor: pointer; }
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
