/** Builds the documentation site, and serves the built files on loopback. */
import { preview } from 'vite';
import { build } from 'vitepress';

/** The folder with the configuration of the site. */
const siteFolder = 'site';

/** The folder with the built files, which can be deployed as they are. */
export const siteOutput = `${siteFolder}/.vitepress/dist`;

/** Builds the site. Fails if a page cannot be rendered. */
export const buildSite = (): Promise<void> => build(siteFolder);

export interface ServedSite {
  /** The URL of the home page. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the built files.
 * @throws Error if the port is in use
 */
export const serveSite = async (port: number): Promise<ServedSite> => {
  const server = await preview({
    configFile: false,
    root: siteFolder,
    appType: 'mpa', // an unknown path gets 404
    build: { outDir: '.vitepress/dist' },
    preview: { host: 'localhost', port, strictPort: true },
    logLevel: 'warn',
  });
  const [url = ''] = server.resolvedUrls?.local ?? [];
  return { url, close: () => server.close() };
};
