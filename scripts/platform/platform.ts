/** The two platforms that the app is deployed to, and how wrangler runs it for each on this machine. */
import { fileURLToPath } from 'node:url';
import { servePages } from './pages.ts';
import type { ServeCommand, Served } from './serve.ts';
import { serveWorker } from './workers.ts';

export type Platform = 'workers' | 'pages';

/** How one project is served. */
export interface Arrangement {
  /** The file that names the bindings. */
  readonly config: string;
  /** Writes down what the command needs. */
  readonly serve: (served: Served) => Promise<ServeCommand>;
}

const at = (path: string): string => fileURLToPath(new URL(`../../apps/words/${path}`, import.meta.url));

export const platforms: Readonly<Record<Platform, Arrangement>> = {
  workers: { config: at('wrangler.jsonc'), serve: (served) => serveWorker(at('wrangler.jsonc'), served) },
  pages: { config: at('pages/wrangler.jsonc'), serve: (served) => servePages(at('pages'), served) },
};
