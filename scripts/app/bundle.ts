/** Builds the minified bundle of the Worker and the site for a deployment, and checks the bundle's size. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { budgets, formatKilobytes, measureCompressed } from '../bundle-sizes/budgets.ts';
import { CommandError } from './command.ts';
import { wranglerConfig } from './paths.ts';
import { buildSite } from './site.ts';
import type { Variables } from './variables.ts';
import { runWrangler } from './wrangler.ts';

export interface Bundle {
  /** The folder of the site. */
  readonly site: string;
  /** The compressed size in bytes, as Cloudflare counts it. */
  readonly size: number;
}

/**
 * Builds the site and bundles the Worker, without requests to other servers.
 * @throws CommandError if the bundle does not build or exceeds the maximum size
 */
export const buildBundle = async (folder: string, variables: Variables): Promise<Bundle> => {
  const [site, worker] = [join(folder, 'site'), join(folder, 'worker')];
  await buildSite(site, variables);
  const target = ['--config', wranglerConfig, '--outdir', worker, '--assets', site];
  await runWrangler(['deploy', '--dry-run', '--minify', ...target], folder);
  return { site, size: await measureSize(worker) };
};

/** Formats the size of a bundle and the maximum size. */
export const formatSize = ({ size }: Bundle): string =>
  `${formatKilobytes(size)} gzipped (limit: ${formatKilobytes(budgets.worker)})`;

const measureSize = async (folder: string): Promise<number> => {
  const modules = (await readdir(folder)).filter((file) => file.endsWith('.js'));
  if (modules.length === 0) throw new Error(`${folder} contains no bundle`);
  const sizes = await Promise.all(
    modules.map(async (file) => measureCompressed(await readFile(join(folder, file)))),
  );
  const size = sizes.reduce((sum, moduleSize) => sum + moduleSize, 0);
  if (size <= budgets.worker) return size;
  throw new CommandError(
    `The Worker is ${formatKilobytes(size)} gzipped. The limit is ${formatKilobytes(budgets.worker)}.`,
  );
};
