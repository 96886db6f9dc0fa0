/** Tests `npm run setup`: MCP clients, the values for the GPT editor, and the variables file. */
import {
  access,
  chmod,
  lstat,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { readClients } from '../../apps/words/src/config/clients.ts';
import { type CommandResult, runCommand } from './command.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  file = join(folder, 'variables');
});

afterEach(() => rm(folder, { recursive: true }));

const setup = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand('setup', { VARIABLES_FILE: file }, { args });

/** Returns the value after a field's name, on the same line. */
const readPrintedValue = (stdout: string, field: string): string | undefined =>
  stdout
    .split('\n')
    .find((line) => line.startsWith(`  ${field}  `))
    ?.slice(field.length + 2)
    .trim();

const readVariablesFile = async () => parseEnv(await readFile(file, 'utf8'));

/** The titles of the groups and of the clients in each, in order. */
const groupedTitles = [
  'MCP server',
  ...['Clients on your machine', 'Claude Code', 'Codex', 'VS Code', 'Cursor', 'Gemini CLI'],
  'A client that asks for a client ID',
  ...['Clients that connect from the internet', 'ChatGPT', 'Claude on the web, desktop and mobile'],
  'Microsoft Copilot Studio',
  ...['Custom GPT', 'Configure'],
];

it('prints the MCP server, then its clients by what they need to reach it, and last the GPT', async () => {
  const { stdout } = await setup('--origin', 'https://words.example');
  expect(stdout).toContain('\nCustom GPT (ends on 2026-12-11)\n');
  const lines = stdout.replace(' (ends on 2026-12-11)', '').split('\n');
  const positions = groupedTitles.map((title) => lines.indexOf(title));
  expect(positions).not.toContain(-1);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
  expect(readPrintedValue(stdout, 'URL')).toBe('https://words.example/mcp');
  for (const command of [
    'claude mcp add --transport http words https://words.example/mcp',
    'codex mcp add words --url https://words.example/mcp',
    'gemini mcp add --transport http words https://words.example/mcp',
  ])
    expect(lines.some((line) => line.startsWith('  Command ') && line.endsWith(`  ${command}`))).toBe(true);
  expect(stdout.match(/^\{\n.*?^\}/gms)?.map((text) => JSON.parse(text))).toEqual([
    { servers: { words: { type: 'http', url: 'https://words.example/mcp' } } },
    { mcpServers: { words: { url: 'https://words.example/mcp' } } },
  ]);
  for (const vendor of ['OpenAI', 'Anthropic', 'Microsoft', 'Cursor', 'Google'])
    expect(stdout).toContain(`Not tested with ${vendor}`);
  // About loopback, which a deployment is not on.
  expect(stdout).not.toMatch(/MCP_CLIENTS=registration|work with this server|need a domain or a tunnel/);
});

it('prints a client that STATIC_CLIENTS accepts, for a client that asks for a client ID', async () => {
  const { stdout } = await setup('--origin', 'https://words.example');
  const STATIC_CLIENTS = `[${readPrintedValue(stdout, 'In STATIC_CLIENTS')}]`;
  const [, client] = readClients({ ...(await readVariablesFile()), STATIC_CLIENTS }, 'https://words.example');
  expect(client).toMatchObject({ id: 'my-client', authentication: 'none', offlineAccess: 'always' });
});

it('says on loopback which clients work, and which need a domain or a tunnel', async () => {
  const { stdout } = await setup('--origin', 'http://localhost:8787');
  const groups = stdout.split(/^(?=.* \((?:work|need|ends) .*\)$)/m).slice(1);
  expect(groups.map((group) => group.split('\n')[0])).toEqual([
    'Clients on your machine (work with this server)',
    'Clients that connect from the internet (need a domain or a tunnel)',
    'Custom GPT (ends on 2026-12-11)',
  ]);
  expect(groups[0]).toContain('Start the app with MCP_CLIENTS=registration');
  expect(groups[1]).toContain('npm run setup -- --origin https://words.example');
});

it('shows the same on the setup page of npm start, with the GPT collapsed, without secrets', async () => {
  const { origin } = inject('system');
  const page = await (await fetch(`${origin}/setup`)).text();
  expect([...page.matchAll(/<h[23]>([^<]*?)(?: <span|<\/h)/g)].map(([, title]) => title)).toEqual([
    ...groupedTitles,
    ...['Actions, Create new action, Authentication: OAuth', 'Schema and privacy policy'],
  ]);
  expect([...page.matchAll(/class="status">(.*?)</g)].map(([, status]) => status)).toEqual([
    ...['work with this server', 'need a domain or a tunnel', 'ends on 2026-12-11'],
  ]);
  const [beforeGpt = '', gpt = ''] = page.split('<details class="group">');
  expect(beforeGpt).toContain('Start the app with MCP_CLIENTS=registration');
  expect(beforeGpt).toContain(`<dt>URL</dt><dd class="value">${origin}/mcp</dd>`);
  expect(beforeGpt).not.toContain(`${origin}/token`);
  expect(gpt).toContain(`>${origin}/token<`);
  expect(page).not.toContain(inject('system').gpt.clientSecret);
});

it('prints every field of the editor, and generates keys and secrets in a file that only its owner can read', async () => {
  const { code, stdout, stderr } = await setup('--origin', 'https://words.example');
  const { DAILY_SECRET = '', GPT_CLIENT_SECRET = '', SEALING_KEYS = '', ORIGIN } = await readVariablesFile();
  expect({ code, stderr, ORIGIN }).toEqual({ code: 0, stderr: '', ORIGIN: 'https://words.example' });
  for (const [field, value] of [
    ['Client ID', 'words-gpt'],
    ['Client Secret', GPT_CLIENT_SECRET],
    ['Authorization URL', 'https://words.example/authorize'],
    ['Token URL', 'https://words.example/token'],
    ['Scope', 'words score'],
    ['Token Exchange Method', 'Default (POST request)'],
    ['Schema, Import from URL', 'https://words.example/openapi.json'],
    ['Privacy policy', 'https://words.example/privacy'],
  ] as const) {
    expect(readPrintedValue(stdout, field)).toBe(value);
  }
  expect(GPT_CLIENT_SECRET).toMatch(/^[\w-]{43}$/);
  expect(SEALING_KEYS).not.toBe('');
  expect(stdout).not.toContain(SEALING_KEYS);
  expect(DAILY_SECRET).toMatch(/^[\w-]{43}$/);
  expect(DAILY_SECRET).not.toBe(GPT_CLIENT_SECRET);
  expect(stdout).not.toContain(DAILY_SECRET);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('does not change a complete file, and prints the same client secret again', async () => {
  const first = await setup('--origin', 'https://words.example');
  const before = await readFile(file, 'utf8');
  expect(before).toMatch(/^DAILY_SECRET=[\w-]{43}$/m);
  const second = await setup();
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(second.stdout).toContain(`${file} is unchanged.`);
  expect(readEditorFields(second)).toBe(readEditorFields(first));
});

it('adds missing values to a file, and keeps the rest, including comments', async () => {
  await writeFile(file, '# mine\nGPT_CLIENT_ID=my-gpt\nSEALING_KEYS=\nGOOGLE_CLIENT_SECRET=not-for-eyes\n');
  const { stdout } = await setup('--origin', 'https://words.example');
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(
    /^# mine\nGPT_CLIENT_ID=my-gpt\nSEALING_KEYS=\S+\nGOOGLE_CLIENT_SECRET=not-for-eyes\n/,
  );
  expect(text).toMatch(/^DAILY_SECRET=[\w-]{43}$/m);
  expect(readPrintedValue(stdout, 'Client ID')).toBe('my-gpt');
  expect(stdout).not.toContain('not-for-eyes');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('makes a file that other users can read private, even if its content does not change', async () => {
  await setup('--origin', 'https://words.example');
  await chmod(file, 0o644);
  expect((await setup()).stdout).toContain(`${file} is unchanged.`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('writes no secret to a file that another user has open, and leaves no temporary file', async () => {
  await writeFile(file, 'SEALING_KEYS=\n', { mode: 0o644 });
  const otherUsersFile = await open(file, 'r');
  await setup('--origin', 'https://words.example');
  expect(await otherUsersFile.readFile('utf8')).toBe('SEALING_KEYS=\n');
  await otherUsersFile.close();
  expect(await readFile(file, 'utf8')).toMatch(/^SEALING_KEYS=\S+\n/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['variables']);
});

it('completes the file that a symbolic link points to, and keeps the link', async () => {
  const linkTarget = join(folder, 'elsewhere');
  await writeFile(linkTarget, 'SEALING_KEYS=\n');
  await symlink(linkTarget, file);
  await setup('--origin', 'https://words.example');
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect(await readFile(linkTarget, 'utf8')).toMatch(/^SEALING_KEYS=\S+\n/);
});

it('prints only the newer of two secrets', async () => {
  const [newer, older] = [
    'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
    'Y_EWFDw4Pt7muInnvySzcV8LKWyYjQ_TqZFlDL80OFM',
  ];
  await writeFile(file, `GPT_CLIENT_SECRET=${newer} ${older}\n`);
  const { stdout } = await setup('--origin', 'https://words.example');
  expect(readPrintedValue(stdout, 'Client Secret')).toBe(newer);
  expect(stdout).not.toContain(older);
});

it('prints the URLs to register with each provider, including those for security events', async () => {
  const issuer = {
    id: 'acme',
    displayName: 'Acme',
    issuer: 'https://login.example',
    clientId: 'c',
    clientSecret: 's',
  };
  const google = 'GOOGLE_CLIENT_ID=c\nGOOGLE_CLIENT_SECRET=s\n';
  const gitHub = 'GITHUB_CLIENT_ID=c\nGITHUB_CLIENT_SECRET=s\n';
  await writeFile(file, `${google}${gitHub}OIDC_PROVIDERS=${JSON.stringify([issuer])}\n`);
  const { stdout } = await setup('--origin', 'https://words.example');
  const printedUrls = [...stdout.matchAll(/^.*(Google|GitHub|Acme).*: https:\/\/words\.example(\S+)$/gm)];
  expect(printedUrls.map(([, provider, path]) => [provider, path])).toEqual([
    ['Google', '/callback/google'],
    ['Google', '/events/google'],
    ['GitHub', '/callback/github'],
    ['Acme', '/callback/acme'],
    ['Acme', '/backchannel-logout/acme'],
  ]);
});

it('warns if its values are for an origin other than the one in the file', async () => {
  await setup('--origin', 'https://words.example');
  const { stdout } = await setup('--origin', 'https://tunnel.example');
  expect(stdout).toContain('https://tunnel.example/authorize');
  expect(stdout).toContain(
    'These values are for https://tunnel.example, but ORIGIN is set to https://words.example.',
  );
  expect(await readVariablesFile()).toMatchObject({ ORIGIN: 'https://words.example' });
});

it.each([
  ['no origin', [], 'Pass the origin of the app: npm run setup -- --origin https://words.example\n'],
  [
    'http',
    ['--origin', 'http://words.example'],
    /^--origin must be an https origin without a path or trailing slash/,
  ],
  ['a path', ['--origin', 'https://words.example/game'], /^--origin must be an https origin without a path/],
  ['markup', ['--origin', 'https://words.example"><script>'], /^--origin must be an https origin/],
  ['another option', ['--orign', 'https://words.example'], /^Unknown option '--orign'/],
])('rejects %s with one sentence, and writes nothing', async (_, args, message) => {
  const { code, stdout, stderr } = await setup(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(message);
  await expect(access(file)).rejects.toThrow('ENOENT');
});

it('prints instructions that fit in the editor and name every operation except the lists of words, and no other', async () => {
  const { stdout } = await setup('--origin', 'https://words.example');
  const instructions = stdout.slice(stdout.indexOf('Instructions'), stdout.indexOf('Conversation starters'));
  expect(instructions).toContain('For each guess, call guess with only');
  // The last two are values of a response.
  const names = new Set(['guess', ...(instructions.match(/\b[a-z]+_[a-z]+\b/g) ?? [])]);
  const namedOperations = [...names].filter((name) => name !== 'is_typo' && name !== 'round_over');
  const ids = (await listOperationIds()).filter((id) => !id.startsWith('get_all'));
  expect(namedOperations.sort()).toEqual(ids);
  expect(instructions.length).toBeLessThan(8000);
});

const listOperationIds = async (): Promise<readonly string[]> => {
  const { paths } = await (await fetch(`${inject('system').origin}/openapi.json`)).json();
  const allOperations: readonly { readonly operationId: string }[] = Object.values<object>(paths).flatMap(
    (path) => Object.values(path),
  );
  return allOperations.map(({ operationId }) => operationId).sort();
};

const readEditorFields = ({ stdout }: CommandResult): string => stdout.slice(stdout.indexOf('Configure'));

it('says which variables of the publisher are missing or wrong, and nothing once both are set', async () => {
  const { stdout } = await setup('--origin', 'https://words.example');
  expect(stdout).toMatch(/^PUBLISHER_NAME is missing: /m);
  expect(stdout).toMatch(/^CONTACT_EMAIL is missing: /m);
  expect(await readVariablesFile()).toMatchObject({ PUBLISHER_NAME: '', CONTACT_EMAIL: '' });
  await writeFile(file, 'PUBLISHER_NAME=Example Games\nCONTACT_EMAIL=help\n');
  const second = await setup('--origin', 'https://words.example');
  expect(second.stdout).not.toContain('PUBLISHER_NAME');
  expect(second.stdout).toMatch(/^CONTACT_EMAIL must be one email address/m);
  await writeFile(file, 'PUBLISHER_NAME=Example Games\nCONTACT_EMAIL=help@words.example\n');
  const third = await setup('--origin', 'https://words.example');
  expect(third.stdout).not.toMatch(/PUBLISHER_NAME|CONTACT_EMAIL/);
  expect((await setup('--origin', 'http://localhost:8787')).stdout).not.toMatch(
    /is missing: the (person|email)/,
  );
});
