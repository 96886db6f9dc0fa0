/** Tests `npm start` as a user runs it, with `npm run demo` as its client. */
import { once } from 'node:events';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalApp, expectNoServer, runCommand, startCommand } from './command.ts';
import { waitUntilReady } from './wait-until-ready.ts';

let folder: string;
let port: number;
let fakeProviderPort: number;
let variables: Readonly<Record<string, string>>;

beforeEach(async () => {
  ({ folder, port, fakeProviderPort, variables } = await createLocalApp());
});

afterEach(() => rm(folder, { recursive: true }));

describe('npm start', () => {
  it('runs until Ctrl-C, works with the demo, and leaves nothing behind except its data', async () => {
    await chmod(folder, 0o755);
    const running = startCommand('start', variables);
    const summary = await waitUntilReady(running);
    const settings = join(folder, 'settings.json');
    for (const expectedText of [
      `http://localhost:${port}`,
      ...['Google', 'GitHub', 'Microsoft', 'Apple', 'Acme'].map(
        (label, index) => `http://127.0.0.1:${fakeProviderPort + index} in place of ${label}`,
      ),
      'words-gpt',
      settings,
    ]) {
      expect(summary).toContain(expectedText);
    }
    expect(summary).toMatch(
      new RegExp(
        `\\n {2}Words With Chat {4}http://localhost:${port}\n {2}MCP server {9}http://localhost:${port}/mcp\n`,
      ),
    );
    expect(summary).not.toContain('client ID');
    expect((await stat(settings)).mode & 0o777).toBe(0o600);
    // The folder existed before, and other users could read it.
    expect((await stat(folder)).mode & 0o777).toBe(0o700);

    const demo = await runCommand('demo', variables);
    expect(demo).toMatchObject({ code: 0, stderr: '' });
    expect(demo.stdout).toContain(`Using the app that is running at http://localhost:${port}.`);
    expect(demo.stdout).toContain('score: 1');
    const mcpDemo = await runCommand('demo', variables, { args: ['--mcp'] });
    expect(mcpDemo).toMatchObject({ code: 0, stderr: '' });
    expect(mcpDemo.stdout).toContain(`Using the app that is running at http://localhost:${port}.`);
    expect(readScores(mcpDemo.stdout)).toEqual([1, 2, 2]);
    expect(mcpDemo.stdout).toContain("Ada Marlow's score is 2.");
    const secrets = Object.values(JSON.parse(await readFile(settings, 'utf8'))).filter(isSecret);
    expect(secrets).toHaveLength(3);
    for (const { stdout } of [demo, mcpDemo]) {
      for (const secret of secrets) expect(stdout).not.toContain(secret);
      // Sealed tokens start with the key ID. None of them may be printed in full.
      expect(stdout).not.toMatch(/AQV[\w-]{24}/);
    }

    running.process.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 0 });
    await expectNoServer(`http://localhost:${port}`);
    await expectNoServer(`http://127.0.0.1:${fakeProviderPort}`);
  });

  it.each([
    ['PORT', () => port],
    ['FAKE_PROVIDER_PORT', () => fakeProviderPort],
    ['FAKE_PROVIDER_PORT', () => fakeProviderPort + 4],
  ])('says that the port in %s is in use, and exits', async (variable, getTakenPort) => {
    const server = createServer().listen(getTakenPort(), '127.0.0.1');
    await once(server, 'listening');
    const { code, stderr } = await runCommand('start', variables);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Port ${getTakenPort()} is in use; choose another with ${variable}, for example ${variable}=${getTakenPort() + 10}.\n`,
    );
  });

  it.each(['http', '0', '65536', '80.5'])('rejects %s as a port', async (text) => {
    const { code, stderr } = await runCommand('start', { ...variables, PORT: text });
    expect(code).toBe(1);
    expect(stderr).toBe(`PORT must be a port from 1 to 65535, not "${text}".\n`);
  });

  it.each([
    ['8790', '8787'],
    ['8787', '8787'],
    ['8787', '65532'],
  ])(
    'rejects a port range for fake providers that includes %s or exceeds 65535: from %s',
    async (PORT, FAKE_PROVIDER_PORT) => {
      const { code, stderr } = await runCommand('start', { ...variables, PORT, FAKE_PROVIDER_PORT });
      expect(code).toBe(1);
      expect(stderr).toBe(
        'FAKE_PROVIDER_PORT must be the first of 5 consecutive ports up to 65535 that do not include PORT.\n',
      );
    },
  );

  it('says that its secrets file is damaged, and does not overwrite it', async () => {
    const settings = join(folder, 'settings.json');
    await writeFile(settings, '{"sealingKeys":"');
    const { code, stderr } = await runCommand('start', variables);
    expect(code).toBe(1);
    expect(stderr).toBe(`${settings} is damaged. Delete it to generate new secrets.\n`);
    expect(await readFile(settings, 'utf8')).toBe('{"sealingKeys":"');
  });

  it('rejects a version of Node that cannot run TypeScript', async () => {
    const { code, stderr } = await runCommand('start', variables, { nodeArgs: ['--no-strip-types'] });
    expect(code).toBe(1);
    expect(stderr).toContain(`This is Node ${process.version}, which cannot run these scripts.`);
  });
});

describe('npm run start:pages', () => {
  it('runs the app as a Pages project, works with the demo, and ends with Ctrl-C', async () => {
    const running = startCommand('start', variables, { args: ['--pages'] });
    expect(await waitUntilReady(running)).toContain(`http://localhost:${port}`);
    const demo = await runCommand('demo', variables);
    expect(demo).toMatchObject({ code: 0, stderr: '' });
    expect(demo.stdout).toContain('score: 1');
    const mcpDemo = await runCommand('demo', variables, { args: ['--mcp'] });
    expect(mcpDemo).toMatchObject({ code: 0, stderr: '' });
    expect(mcpDemo.stdout).toContain("Ada Marlow's score is 2.");
    running.process.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 0 });
    await expectNoServer(`http://localhost:${port}`);
  });

  it('rejects an unknown argument', async () => {
    const { code, stdout, stderr } = await runCommand('start', variables, { args: ['--page'] });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Unknown option '--page'/);
  });
});

/** Returns the scores in the results of tools, in order. */
const readScores = (stdout: string): readonly number[] =>
  [...stdout.matchAll(/^ +"score": (\d+),$/gm)].map(([, score]) => Number(score));

const isSecret = (value: unknown): value is string => typeof value === 'string' && value.length > 20;
