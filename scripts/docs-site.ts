/**
 * `npm run docs`: builds the documentation site and serves it on loopback. `PORT` sets the port. With `--build`,
 * only builds.
 */
import { runCommand } from './app/command.ts';
import { buildSite, serveSite, siteOutput } from './docs/site.ts';

await runCommand(async () => {
  console.log('Building the site, which takes about a minute …');
  await buildSite();
  console.log(`The site is in ${siteOutput}.`);
  if (process.argv.includes('--build')) return;
  const { PORT } = process.env;
  const { url } = await serveSite(Number(PORT || 4173));
  console.log(`Open ${url}`);
});
