/**
 * The whole game, on the storage of the Worker under test, and the bare broker doing the same work. The
 * difference is what the layers in between cost: routing, the operations and their validation, and CORS.
 */
import { type Broker, corsHeaders } from 'assistant-auth';
import animals from '../apps/words/public/words/en/animals.json';
import { type App, createApp } from '../apps/words/src/app.ts';
import { readBindings } from '../apps/words/src/bindings.ts';
import { readConfig } from '../apps/words/src/config.ts';

const neverLimited = { limit: async () => ({ success: true }) };

/** Creates the game with a client and keys that the bare broker has, too, so that both accept the same tokens. */
export const createGame = (origin: string, sealingKeys: string, clientSecret: string): App => {
  const environment = {
    ORIGIN: origin,
    SEALING_KEYS: sealingKeys,
    DAILY_SECRET: 'mM1yfqXAxbJCn-QXtYIIQ6f9n0cnRKq1rYHk0cI2Yso',
    GPT_CLIENT_ID: 'gpt',
    GPT_CLIENT_SECRET: clientSecret,
    GPT_IDS: 'g-1234567890abcdef',
    GOOGLE_CLIENT_ID: 'google',
    GOOGLE_CLIENT_SECRET: 'google',
    // Never called, because the bundle has a storage in memory.
    DB: { prepare: () => undefined, batch: () => undefined },
    ASSETS: { fetch: async () => Response.json(animals) },
    LIMIT_READS: neverLimited,
    LIMIT_REFRESHES: neverLimited,
  };
  return createApp(readConfig(environment), readBindings(environment), { log: () => undefined });
};

/** Responds to a call of the operation as the game does, with the broker alone. */
export const callByHand = async (broker: Broker, request: Request): Promise<Response> => {
  const auth = await broker.protect(request, { scopes: ['words'], limiter: { take: async () => 'allowed' } });
  if (!auth.ok) return auth.response;
  return new Response(JSON.stringify(animals.map(({ word }) => word)), {
    headers: {
      ...corsHeaders,
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });
};
