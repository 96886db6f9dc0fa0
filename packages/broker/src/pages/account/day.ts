/** Owns how days are shown. */
import type { EpochSeconds } from '../../protocol/time.ts';
import { type Html, html } from '../html.ts';

/** Renders the day of an instant in the language of the page. In UTC: the server does not know the person's time zone. */
export const renderDay = (instant: EpochSeconds, language: string): Html => {
  const date = new Date(instant * 1000);
  const shown = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(date);
  return html`<time datetime="${date.toISOString().slice(0, 10)}">${shown}</time>`;
};
