/**
 * Renders the page that explains how to connect MCP clients and a GPT, without the GPT's secret. It is only
 * built for an origin on loopback.
 */
import { html, renderHtml } from 'assistant-auth';
import type { SetupField, SetupGroup, SetupSection } from './section.ts';

export const renderSetupPage = (groups: readonly SetupGroup[]): string =>
  `${renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Connect clients · Words With Chat</title>
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
  <h1>Connect clients</h1>
  <p class="lead">Click a value to select all of it. This page exists only on this machine.</p>
  <p>Clients that run on this machine can connect to it. ChatGPT and Claude on the web cannot reach it, so their values are
    only a preview. For a tunnel or a domain, <code>npm run setup -- --origin https://words.example</code> prints the
    same values with its URLs, and the secret.</p>
  ${groups.map(renderGroup)}
</main>
</body>
</html>`)}\n`;

const renderGroup = ({ title, introduction, sections }: SetupGroup) => html`
  <h2>${title}</h2>
  ${introduction.map((paragraph) => html`<p>${paragraph}</p>`)}
  ${sections.map(renderSection)}`;

const renderSection = ({ title, steps = [], fields, note }: SetupSection) => html`
  <h3>${title}</h3>
  ${renderSteps(steps)}
  <dl class="kept">${fields.map(renderField)}
  </dl>
  ${note === undefined ? html`` : html`<p>${note}</p>`}`;

const renderSteps = (steps: readonly string[]) =>
  steps.length > 1
    ? html`<ol>${steps.map((step) => html`<li>${step}</li>`)}</ol>`
    : steps.map((step) => html`<p>${step}</p>`);

const renderField = ({ name, value }: SetupField) => html`
    <div><dt>${name}</dt><dd class="value">${value}</dd></div>`;
