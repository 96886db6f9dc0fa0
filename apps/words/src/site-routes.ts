/**
 * Serves the pages of the site at URLs without a language, in the language that the browser prefers (RFC 9110
 * §12.5.4). The pages are static files, and each language has a folder. The pages link only to URLs with their
 * own language, such as `/de/privacy`, so a reader who has chosen a language keeps it.
 */
import { createLanguageSelector } from 'assistant-auth/languages';
import type { Bindings } from './bindings.ts';
import { type LogRefusal, refuseOtherMethods } from './refusal.ts';

/** The languages of the site. The first one is the default. Each one has a folder with the same pages. */
export const siteLanguages = ['en', 'de'] as const;

export type SiteLanguage = (typeof siteLanguages)[number];

const selectLanguage = createLanguageSelector(siteLanguages);

/** The URLs of pages without a language. */
const paths: readonly string[] = ['/', '/privacy', '/terms'];

/** Handles a request for a page. Returns `undefined` for any other path. */
export type HandleSite = (request: Request) => Promise<Response | undefined>;

/** Creates the handler. `_headers` adds `Content-Language` to the files. */
export const createSiteHandler =
  (origin: string, assets: Bindings['assets'], logRefusal: LogRefusal): HandleSite =>
  async (request) => {
    const { pathname } = new URL(request.url);
    if (!paths.includes(pathname)) return undefined;
    const refusal = refuseOtherMethods(request, logRefusal);
    if (refusal !== undefined) return refusal;
    const { body, status, headers } = await assets.fetch(origin + localizePath(pathname, request), request);
    const response = new Response(body, { status, headers });
    response.headers.append('vary', 'Accept-Language');
    return response;
  };

/** Returns the path of a page in the language of a request. */
export const localizePath = (path: string, request: Request): string => `/${readLanguage(request)}${path}`;

/** Returns the language in the path of a request, otherwise the one that the browser prefers. */
export const readLanguage = ({ url, headers }: Request): SiteLanguage => {
  const [, folder] = new URL(url).pathname.split('/');
  return siteLanguages.find((name) => name === folder) ?? selectLanguage(headers.get('accept-language'));
};
