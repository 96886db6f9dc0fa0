/** Owns the forms of the account's pages, and what stands where one needs a fresh proof first. */
import { type Html, html } from '../html.ts';
import { fillText, type Texts } from '../texts.ts';

/**
 * Renders a form that posts the sealed `form` and what `content` holds. Without autocompletion: on reload Firefox would
 * put the earlier sealed value back into the field.
 */
export const accountForm = (action: string, form: string, content: Html): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
<input type="hidden" name="form" value="${form}">
${content}
</form>\n`;

/** Renders the way to the box that confirms who it is, in place of a form that could only be refused. */
export const confirmFirst = (texts: Texts): Html =>
  html`<p><a href="#confirm">${fillText(texts.confirm)}</a></p>`;
