/**
 * Runs the commands of the guides, each page in its own copy of the project that the tutorial for Node builds.
 * A block of commands whose first line is `# needs …` is not run: it needs an account or a server, for example.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findFreePort } from '@words-with-chat/lab';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { listRepositoryFiles } from '../scripts/app/repository-files.ts';
import { readCodeBlocks } from '../scripts/docs/markdown.ts';
import { createProject, installExample, type Project } from './examples/example.ts';

const clone = inject('clone');

interface Page {
  readonly path: string;
  /** The blocks of commands that need nothing but the project. */
  readonly commands: readonly string[];
  /** The files that the page contains, and for each the number of commands before it. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly commands: number }[];
}

const readPages = (...patterns: readonly string[]): readonly Page[] =>
  listRepositoryFiles(...patterns)
    .filter((path) => path.endsWith('.md'))
    .map((path) => {
      const blocks = readCodeBlocks(readFileSync(path, 'utf8'));
      const commands: string[] = [];
      const files = blocks.flatMap(({ language, code, path: file }) => {
        if (/^(sh|bash|shell|console)$/.test(language) && !/^# needs \S/.test(code))
          commands.push(code.trim());
        return file === undefined ? [] : [{ path: file, content: code, commands: commands.length }];
      });
      return { path, commands, files };
    })
    .filter(({ commands }) => commands.length > 0);

const guides = readPages(
  'docs/guides',
  'docs/reference',
  'docs/explanation',
  ':(exclude)docs/reference/api',
  ':(exclude)docs/explanation/scale.md', // about a command of this repository
);

describe('the commands of', () => {
  let prepared: Project;

  beforeAll(async () => {
    prepared = await installExample('node-express', clone);
    const port = String(await findFreePort());
    const app = await prepared.start('npm run dev', /^The account page:/, { PORT: port });
    await prepared.run('npm run --silent api-client', { PORT: port });
    await app.stop();
  });

  /** Copies the project. The home folder is empty. */
  const createCopy = ({ path }: Page): Project => {
    const project = createProject(path.replaceAll(/\W/g, '-'), { CLONE: clone, HOME: '' });
    const modules = join(prepared.folder, 'node_modules');
    cpSync(prepared.folder, project.folder, {
      recursive: true,
      filter: (source) => !source.startsWith(modules) && !source.endsWith('.tmp'),
    });
    symlinkSync(modules, join(project.folder, 'node_modules'));
    return project;
  };

  it.each(guides)('$path succeed', async (page) => {
    const project = createCopy(page);
    const home = join(project.folder, '.home');
    mkdirSync(home);
    for (const [index, command] of page.commands.entries()) {
      for (const { path, content } of page.files.filter(({ commands }) => commands === index)) {
        const target = join(project.folder, path);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, content);
      }
      await expect(project.run(`set -e\n${command}`, { HOME: home })).resolves.toEqual(expect.any(String));
    }
  });
});

/** The commands of all other pages, and the test or script that runs each of them. */
const runElsewhere: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'conformance/commands/start.test.ts',
  'npm ci && npm test': '.ci/run',
  'npm start': 'conformance/commands/start.test.ts',
  'npm run demo -- --mcp': 'conformance/commands/demo.test.ts',
  'npm run setup -- --origin https://words.example': 'conformance/commands/setup.test.ts',
  // With fewer users.
  'npm run scale': 'bench/scale/test/scale.test.ts',
  'npm run scale -- --users 20000': 'bench/scale/test/scale.test.ts',
  'npm run scale -- --rounds 0': 'bench/scale/test/scale.test.ts',
};

it('every other command is marked as needing something, or is run elsewhere', () => {
  const others = readPages(
    ...['*.md', ':(exclude)docs/get-started', ':(exclude)docs/decisions', ':(exclude)docs/reference'],
    ...[':(exclude)docs/guides', ':(exclude)CONTRIBUTING.md', ':(exclude)examples'], // have tests of their own
  ).filter(({ path }) => !guides.some((guide) => guide.path === path));
  const commands = others.flatMap(({ path, commands }) =>
    commands
      .join('\n')
      .split('\n')
      .map((line) => [path, line.replace(/\s+#.*$/, '')] as const),
  );
  const unknown = commands.filter(([, command]) => runElsewhere[command] === undefined);
  expect(unknown).toEqual([]);
  const used = new Set(commands.map(([, command]) => command));
  expect(Object.keys(runElsewhere).filter((command) => !used.has(command))).toEqual([]);
  for (const file of Object.values(runElsewhere)) expect(listRepositoryFiles(file)).toEqual([file]);
});
