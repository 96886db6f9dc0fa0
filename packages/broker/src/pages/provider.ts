/** How a provider is shown: as a button that chooses it, and as where somebody signs in. */
import { type Html, html } from './html.ts';
import { properName } from './layout.ts';
import { fillText } from './texts.ts';

/** A provider as a button. */
export interface ProviderChoice {
  readonly id: string;
  readonly label: string;
  /** Path of the vendor's mark on the own origin; the label says all that it says. */
  readonly markPath?: string;
}

/** An identity in the words that a person knows it by. */
export interface ShownIdentity {
  /** The provider's label. */
  readonly provider: string;
  /** How the provider shows the person: a name or an address. */
  readonly label?: string;
}

/** Renders one button per provider; each posts the provider's id as `choice`. `text` has a place for `{provider}`. */
export const providerButtons = (providers: readonly ProviderChoice[], text: string): Html =>
  html`<ul class="providers" role="list">
${providers.map((provider) => providerButton(provider, text))}</ul>`;

/** Renders a vendor's mark as decoration beside the vendor's name; nothing where there is none. */
export const renderMark = (markPath: string | undefined): Html =>
  html`${markPath && html`<img class="mark" src="${markPath}" alt="" width="24" height="24">`}`;

/** Renders an identity within a sentence: `Google (ada@example.org)`. */
export const renderIdentity = ({ provider, label }: ShownIdentity): Html =>
  html`${properName(provider)}${label && html` (${properName(label)})`}`;

const providerButton = ({ id, label, markPath }: ProviderChoice, text: string): Html =>
  html`<li><button name="choice" value="${id}">${renderMark(markPath)}${fillText(text, { provider: properName(label) })}</button></li>\n`;
