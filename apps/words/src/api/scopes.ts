/** The scopes of the API, with the descriptions on the sign-in page, which complete "it will be able to". */

export const scopeNames = ['words', 'score'] as const;

export type Scope = (typeof scopeNames)[number];

export const scopes: Readonly<Record<Scope, string>> = {
  words: 'read the word lists',
  score: 'see and increase your score',
};
