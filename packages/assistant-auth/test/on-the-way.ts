/** A person on their way: in front of the sign-in page, or at the provider and about to come back. */
import { type Deployment, deploy } from './deployment.ts';
import { createPerson, gptRequest, locationOf } from './person.ts';

type Query = Readonly<Record<string, string>>;

/** Opens the sign-in page. */
export const atSignIn = async (deployment: Deployment = deploy(), request: Query = gptRequest) => {
  const person = createPerson(deployment);
  const { consent } = await person.open(request);
  return { deployment, person, consent };
};

/** Goes on to the provider; `comeBack` brings the provider's answer to the callback, or to another path. */
export const atProvider = async (
  deployment: Deployment = deploy(),
  request: Query = gptRequest,
  provider = 'google',
) => {
  const { person, consent } = await atSignIn(deployment, request);
  const sent = locationOf(await person.choose(consent, { choice: provider }));
  const state = sent.searchParams.get('state') ?? '';
  const answerUrl = (answer: Query, path = `/callback/${provider}`) =>
    `${deployment.issuer}${path}?${new URLSearchParams({ state, ...answer })}`;
  return {
    ...{ deployment, person, sent, state, answerUrl },
    comeBack: (answer: Query, path?: string) => person.visit(answerUrl(answer, path)),
  };
};

/** The names of a browser's journeys. */
export const journeysIn = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-tx-'));

/** The names of a browser's completed journeys. */
export const completionsIn = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-done-'));

/** The names of a browser's binding cookies. */
export const bindingsIn = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  [...cookies.keys()].filter((name) => name.startsWith('__Host-csrf-'));

/** All cookies of a browser in one header, to be carried to another browser or another deployment. */
export const cookieHeader = (cookies: ReadonlyMap<string, string>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
