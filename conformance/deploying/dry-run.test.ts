/**
 * Tests `npm run deploy -- --dry-run` and `npm run build`: all steps before the first request to another
 * server.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDeploymentDomain } from '../../scripts/deploy/address.ts';
import { type CommandResult, runCommand } from '../commands/command.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  file = join(folder, 'variables');
});

afterEach(() => rm(folder, { recursive: true }));

/** An address at which no server listens, so that any request fails and the test notices it. */
const unreachableApi = { CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9', CLOUDFLARE_API_TOKEN: 'none' };

const getPathVariables = () => ({ VARIABLES_FILE: file, BUILD_FOLDER: join(folder, 'dist'), TMPDIR: folder });

const dryRun = async (variables: string, extraVariables = {}): Promise<CommandResult> => {
  await writeFile(file, variables);
  return runCommand(
    'deploy',
    { ...getPathVariables(), ...unreachableApi, ...extraVariables },
    { args: ['--dry-run'] },
  );
};

const completeVariables = {
  ORIGIN: 'https://words.example',
  PUBLISHER_NAME: 'Example Games',
  CONTACT_EMAIL: 'help@words.example',
  SEALING_KEYS: `a.${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`,
  DAILY_SECRET: 'mM1yfqXAxbJCn-QXtYIIQ6f9n0cnRKq1rYHk0cI2Yso',
  GPT_CLIENT_ID: 'words-gpt',
  GPT_CLIENT_SECRET: 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
  GPT_URL: 'https://chatgpt.com/g/g-68f0c2a1b4d8-words',
  GOOGLE_CLIENT_ID: 'words.apps.googleusercontent.com',
  GOOGLE_CLIENT_SECRET: 'google-secret',
};

const formatVariables = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

describe('npm run deploy -- --dry-run', () => {
  it('builds, prints the steps without any secret, and leaves no file with secrets', async () => {
    const { code, stdout, stderr } = await dryRun(formatVariables(completeVariables));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Bundle: \d{3}\.\d kB gzipped \(limit: 200\.0 kB\)\n/);
    expect(stdout).toContain('1. create the D1 database "words"');
    expect(stdout).toContain('2. apply the pending migrations');
    expect(stdout).toContain(
      '3. upload the Worker and the site for words.example, with the secrets CONTACT_EMAIL, DAILY_SECRET, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GPT_CLIENT_ID, GPT_CLIENT_SECRET, ORIGIN, PUBLISHER_NAME, SEALING_KEYS\n',
    );
    for (const secret of [
      completeVariables.SEALING_KEYS,
      completeVariables.DAILY_SECRET,
      completeVariables.GPT_CLIENT_SECRET,
      completeVariables.GOOGLE_CLIENT_SECRET,
    ])
      expect(stdout).not.toContain(secret);
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('secrets'));
  });

  it('works without a temporary folder, because it writes no secret to a file', async () => {
    const { code, stderr } = await dryRun(formatVariables(completeVariables), {
      TMPDIR: join(folder, 'nowhere'),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('W13.3 builds the site of this deployment, without the setup page', async () => {
    await dryRun(formatVariables(completeVariables));
    const site = join(folder, 'dist/site');
    for (const language of ['en', 'de']) {
      const landingPage = await readFile(join(site, language, 'index.html'), 'utf8');
      expect(landingPage).toContain(`class="button secondary" href="${completeVariables.GPT_URL}"`);
      expect(landingPage).toMatch(/content="https:\/\/words\.example\/social-card(-de)?\.png"/);
      expect(landingPage).toContain('<code>https://words.example/mcp</code>');
      for (const name of ['privacy.html', 'terms.html']) {
        const page = await readFile(join(site, language, name), 'utf8');
        expect(page).toContain('<strong>Example Games</strong>');
        expect(page).toContain('<a href="mailto:help@words.example">help@words.example</a>.');
      }
    }
    expect((await readdir(site)).filter((name) => name.startsWith('setup'))).toEqual([]);
  });

  it('names all missing variables at once if nothing is configured', async () => {
    const { code, stdout, stderr } = await dryRun('');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Bundle: .*\n$/);
    for (const name of [
      'ORIGIN',
      'PUBLISHER_NAME',
      'CONTACT_EMAIL',
      'SEALING_KEYS',
      'DAILY_SECRET',
      'GPT_CLIENT_ID',
      'GPT_CLIENT_SECRET',
      'GOOGLE_CLIENT_ID',
      'GOOGLE_CLIENT_SECRET',
    ])
      expect(stderr).toMatch(new RegExp(`^  ${name} is missing`, 'm'));
  });

  it('names all wrong variables at once, including those of the site', async () => {
    const wrongVariables = {
      ORIGIN: 'words.example',
      PUBLISHER_NAME: 'x'.repeat(101),
      CONTACT_EMAIL: 'x',
      DAILY_SECRET: 'short',
      GPT_IDS: 'x',
      GPT_CLIENT_SECRET: 'short',
      STATIC_CLIENTS: '[',
      MCP_CLIENTS: 'x',
      MICROSOFT_TENANT: 'x',
      APPLE_TEAM_ID: 'x',
      APPLE_PRIVATE_KEY: 'AuthKey.p8',
      OIDC_PROVIDERS: '[',
      AUDIT_DAYS: '0',
      GPT_URL: 'x',
    };
    const otherVariables = {
      MICROSOFT_CLIENT_ID: 'm',
      MICROSOFT_CLIENT_SECRET: 'm',
      APPLE_CLIENT_ID: 'a',
      APPLE_KEY_ID: 'FGHIJ67890',
    };
    const { code, stdout, stderr } = await dryRun(
      formatVariables({ ...completeVariables, ...otherVariables, ...wrongVariables }),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const namedVariables = [...stderr.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name);
    expect(namedVariables).toEqual(Object.keys(wrongVariables));
  });

  it('names both variables of the publisher if only these are missing, and uploads nothing', async () => {
    const { PUBLISHER_NAME: _name, CONTACT_EMAIL: _email, ...others } = completeVariables;
    const { code, stdout, stderr } = await dryRun(`${formatVariables(others)}PUBLISHER_NAME=" "\n`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.match(/^ {2}\w+ is missing/gm)).toEqual([
      '  PUBLISHER_NAME is missing',
      '  CONTACT_EMAIL is missing',
    ]);
  });

  it('W13.2 rejects a fake provider, and names other errors as well', async () => {
    const wrongVariables = {
      ...completeVariables,
      GOOGLE_BASE_URL: 'http://127.0.0.1:8788',
      GPT_CLIENT_SECRET: 'short',
    };
    const { code, stdout, stderr } = await dryRun(formatVariables(wrongVariables));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ {2}GPT_CLIENT_SECRET .*\n {2}GOOGLE_BASE_URL /m);
    expect(stdout).not.toContain('this command would');
  });

  it('rejects an unknown variable before it is uploaded', async () => {
    const { code, stdout, stderr } = await dryRun(
      formatVariables({ ...completeVariables, GOGGLE_CLIENT_ID: 'x' }),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`${file} sets GOGGLE_CLIENT_ID, which is not a variable of the app.\n`);
  });

  it.each([
    ['on loopback', 'http://localhost:8787', 'is on loopback'],
    ['with a port', 'https://words.example:8443', 'has a port'],
    ['at workers.dev', 'https://words.me.workers.dev', 'is at words.me.workers.dev, which is disabled'],
    ['at pages.dev', 'https://words.pages.dev', 'is at words.pages.dev, which is disabled'],
  ])('rejects an origin %s', (_, ORIGIN, message) => {
    expect(() => readDeploymentDomain({ ORIGIN })).toThrow(`ORIGIN ${message}`);
  });
});

describe('npm run build', () => {
  it('needs no variables', async () => {
    await writeFile(file, '');
    const { code, stdout } = await runCommand('build', getPathVariables());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Worker: \d{3}\.\d kB gzipped \(limit: 200\.0 kB\)\n$/);
    expect(await readFile(join(folder, 'dist/site/en/index.html'), 'utf8')).not.toContain('Play in our GPT');
  });

  it('W13.3 builds no setup page, even for an origin on loopback', async () => {
    await writeFile(file, formatVariables({ ...completeVariables, ORIGIN: 'http://localhost:8787' }));
    expect(await runCommand('build', getPathVariables())).toMatchObject({ code: 0, stderr: '' });
    const site = await readdir(join(folder, 'dist/site'));
    expect(site).toContain('style.css');
    expect(site.filter((name) => name.startsWith('setup'))).toEqual([]);
  });
});
