/** The stand-in issuer's one page: a button for every person, and one to refuse. */
import type { Person } from '../people.ts';

export const choicePage = (people: readonly Person[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sign in at the stand-in issuer</title>
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
<h1>Sign in</h1>
<p>Words With Chat asks who you are. It will learn your name and your e-mail address.</p>
<form method="post">
${people.map(button).join('\n')}
<button name="email" value="">Refuse</button>
</form>
</main>
</body>
</html>
`;

const button = ({ name, email }: Person): string =>
  `<button name="email" value="${escapeText(email)}">${escapeText(name)} <small>${escapeText(email)}</small></button>`;

const escapeText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
