/**
 * Renders the page that explains how to connect MCP clients and a GPT, without the GPT's secret. It is only
 * built for an origin on loopback. It is for developers, so it is only in English, unlike the site.
 */
import { type Html, html, renderHtml } from 'assistant-auth';
import type { SetupField, SetupGroup, SetupSection } from './section.ts';

export const renderSetupPage = (groups: readonly SetupGroup[]): string =>
  `${renderHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Connect clients · Words With Chat</title>
<meta name="description" content="How to connect MCP clients and a custom GPT to this server.">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<link rel="stylesheet" href="/setup.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
  <a class="home" href="/"><img src="/favicon.svg" alt="" width="32" height="32">Words With Chat</a>
</header>
<main id="main" class="setup">
  <h1>Connect clients</h1>
  <p class="lead">Click a value to select all of it. This page exists only on this machine.</p>
  ${groups.map(renderGroup)}
</main>
</body>
</html>`)}\n`;

const renderGroup = (group: SetupGroup): Html =>
  group.isCollapsed
    ? html`
  <details class="group">
    <summary>${renderTitle(group)}</summary>${renderContent(group)}
  </details>`
    : html`
  <section class="group">
    ${renderTitle(group)}${renderContent(group)}
  </section>`;

const renderTitle = ({ title, status }: SetupGroup): Html =>
  html`<h2>${title}${status !== undefined && html` <span class="status">${status}</span>`}</h2>`;

const renderContent = ({ introduction, fields = [], sections }: SetupGroup): Html => html`
    ${introduction.map((paragraph) => html`<p>${paragraph}</p>`)}
    ${fields.length > 0 && renderFields(fields)}
    ${sections.length > 0 && html`<div class="sections">${sections.map(renderSection)}</div>`}`;

const renderSection = ({ title, steps = [], fields, note }: SetupSection): Html => html`
      <section class="card">
        <h3>${title}</h3>
        ${renderSteps(steps)}
        ${renderFields(fields)}
        ${note !== undefined && html`<p class="note">${note}</p>`}
      </section>`;

const renderSteps = (steps: readonly string[]) =>
  steps.length > 1
    ? html`<ol>${steps.map((step) => html`<li>${step}</li>`)}</ol>`
    : steps.map((step) => html`<p>${step}</p>`);

const renderFields = (fields: readonly SetupField[]): Html => html`<dl>${fields.map(renderField)}
        </dl>`;

const renderField = ({ name, value }: SetupField): Html => html`
          <div><dt>${name}</dt><dd class="value">${value}</dd></div>`;
