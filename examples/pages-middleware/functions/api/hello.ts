/** An existing Function. Only the use of `data.auth` is new. */
import type { Env } from '../../src/broker.ts';
import type { SignedIn } from './_middleware.ts';

export const onRequestGet: PagesFunction<Env, string, SignedIn> = ({ data }) =>
  Response.json({ hello: data.auth.user.id, client: data.auth.client.id });
