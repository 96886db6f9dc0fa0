/** The app as a Worker, with D1. */
import { d1Storage } from 'assistant-auth/d1';
import type { Hono } from 'hono';
import { type App, createApp, createHonoApp } from './app.ts';

interface Env {
  readonly DB: D1Database;
  readonly ISSUER: string;
}

let app: App | undefined;
let hono: Hono | undefined;

export default {
  fetch: async (request: Request, env: Env) => {
    app ??= createApp(env.ISSUER, d1Storage(env.DB));
    hono ??= createHonoApp(app);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/advance') return hono.fetch(request);
    app.advance(Number(searchParams.get('seconds')));
    return new Response();
  },
};
