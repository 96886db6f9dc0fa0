/**
 * Renders the page that shows the values for the GPT editor, without the secret. It is only built for an
 * origin on loopback.
 */
import { html, renderHtml } from 'assistant-auth';
import type { EditorField, EditorSection } from './gpt-editor.ts';

export const renderSetupPage = (sections: readonly EditorSection[]): string =>
  `${renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Values for the GPT editor · Words With Chat</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<link rel="stylesheet" href="/setup.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
  <a class="home" href="/"><img src="/favicon.svg" alt="" width="32" height="32">Words With Chat</a>
</header>
<main id="main" class="prose">
  <h1>Values for the GPT editor</h1>
  <p class="lead">Click a value to select all of it. This page exists only on this machine.</p>
  <p>ChatGPT cannot reach this machine, so these values are only for a preview and for <code>npm run demo</code>. For a tunnel or a
    domain, <code>npm run setup -- --origin https://words.example</code> prints the same values with its URLs, and the
    secret.</p>
  ${sections.map(renderSection)}
</main>
</body>
</html>`)}\n`;

const renderSection = ({ title, fields }: EditorSection) => html`
  <h2>${title}</h2>
  <dl class="kept">${fields.map(renderField)}
  </dl>`;

const renderField = ({ name, value }: EditorField) => html`
    <div><dt>${name}</dt><dd class="value">${value}</dd></div>`;
