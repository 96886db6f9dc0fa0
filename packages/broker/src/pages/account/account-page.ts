/** The account page: who is signed in, and every section in its order. */
import { type Html, html } from '../html.ts';
import { renderLayout } from '../layout.ts';
import { providerButtons, renderIdentity } from '../provider.ts';
import { fillText, type Texts } from '../texts.ts';
import { accountForm } from './account-form.ts';
import type { AccountModel, AccountNotice } from './account-model.ts';
import { connectedApps, signOutEverywhere } from './connected-apps.ts';
import { linkedIdentities } from './identities.ts';
import { dataExport, deletion } from './stored-data.ts';

/** Renders the page. Every form posts `form` to its own action, and what the model says there. */
export const accountPage = (model: AccountModel): string => {
  const { branding, stylesheetPath, notice } = model;
  const { texts, name } = branding;
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.account, { product: name }),
    notice: notice && fillText(texts[noticeTexts[notice]]),
    content: html`${session(model)}
${connectedApps(model)}
${signOutEverywhere(model)}
${confirmBox(model)}
${linkedIdentities(model)}
${dataExport(model)}
${deletion(model)}`,
  });
};

const noticeTexts = {
  'app-ended': 'appEnded',
  linked: 'linked',
  'already-linked': 'alreadyLinked',
  'link-cancelled': 'linkCancelled',
  'not-linked': 'notLinked',
  unlinked: 'unlinked',
  'last-identity': 'lastIdentity',
  proven: 'proven',
  'not-confirmed': 'notConfirmed',
  'proof-needed': 'proofNeeded',
  'delete-unticked': 'deleteUnticked',
} as const satisfies Readonly<Record<AccountNotice, keyof Texts>>;

const session = ({ branding: { texts }, actions, form, identities }: AccountModel): Html => {
  const current = identities.find((identity) => identity.current);
  return accountForm(
    actions.signOut,
    form,
    html`<div class="row">
${current && html`<p>${fillText(texts.signedInWith, { identity: renderIdentity(current) })}</p>`}
<button>${fillText(texts.signOut)}</button>
</div>`,
  );
};

/** One box for all that needs a proof; the form posts `purpose=prove` and `choice`, a provider's id. */
const confirmBox = ({ branding: { texts }, actions, form, proof }: AccountModel): Html | undefined =>
  proof.kind === 'fresh'
    ? undefined
    : html`<section class="facts" aria-labelledby="confirm">
<h2 id="confirm">${fillText(texts.confirm)}</h2>
<p>${fillText(texts.confirmAbout)}</p>
${accountForm(actions.signIn, form, html`<input type="hidden" name="purpose" value="prove">\n${providerButtons(proof.providers, texts.confirmWith)}`)}
</section>`;
