/** The scopes of the API, with the descriptions on the sign-in page, which complete "it will be able to". */

export const scopeNames = ['words', 'score'] as const;

export type Scope = (typeof scopeNames)[number];

/** By the language of the page. */
export const scopes: Readonly<Record<Scope, { readonly en: string; readonly de: string }>> = {
  words: { en: 'read the word lists', de: 'die Wortlisten lesen' },
  score: { en: 'play rounds, see and increase your score', de: 'spielen, Punktestand sehen und erhöhen' },
};
