/** An existing Function. Only the use of `data.user` is new. */
import type { Env } from '../../src/broker.ts';
import type { SignedIn } from './_middleware.ts';

export const onRequestGet: PagesFunction<Env, string, SignedIn> = ({ data }) =>
  Response.json({ hello: data.user.userId, client: data.user.clientId });
