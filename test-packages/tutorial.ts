/** Reads the steps of a tutorial, and follows them: creates the files, and runs the commands. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCodeBlocks } from '../scripts/docs/markdown.ts';
import type { Project, RunningCommand } from './examples/example.ts';

/** A file to create, or a command to run. */
export type Step = { readonly kind: 'file'; readonly path: string; readonly content: string } | Command;

export interface Command {
  readonly kind: 'command';
  readonly command: string;
  /** What the page says that the command prints. `…` stands for any text. Default: anything. */
  readonly output?: string;
  /** What the reader needs to run it, such as `a Cloudflare account`. Default: nothing. */
  readonly needs?: string;
}

export interface FollowedSteps {
  /** What each command printed, except the one that starts the server. */
  readonly outputs: ReadonlyMap<string, string>;
  /** The server that the reader left running, if a step starts it. */
  readonly server: RunningCommand | undefined;
}

/** Returns the steps of a page, in order. The path is relative to the root of the workspace. */
export const readTutorial = (page: string): readonly Step[] => {
  const blocks = readCodeBlocks(readFileSync(page, 'utf8'));
  return blocks.flatMap(({ language, code, path }, index): readonly Step[] => {
    if (path !== undefined)
      return [{ kind: 'file', path, content: code.startsWith(`// ${path}\n`) ? dropLine(code) : code }];
    if (language !== 'sh') return [];
    const [, needs] = /^# needs (.+)\n/.exec(code) ?? [];
    const commands = (needs === undefined ? code : dropLine(code)).trim().split('\n');
    const next = blocks[index + 1];
    const output = next?.language === 'text' && next.path === undefined ? next.code.trim() : undefined;
    return commands.map((command, position) => ({
      kind: 'command',
      command,
      ...(needs !== undefined && { needs }),
      ...(output !== undefined && position === commands.length - 1 && { output }),
    }));
  });
};

/** Returns the command that creates the tarballs of the packages. */
export const readPackCommand = (): Command => {
  const command = readTutorial('docs/get-started/install.md')
    .filter((step) => step.kind === 'command')
    .find((step) => step.command.startsWith('npm pack '));
  if (command === undefined)
    throw new Error('docs/get-started/install.md has no command that starts with npm pack');
  return command;
};

const dropLine = (code: string): string => code.slice(code.indexOf('\n') + 1);

/** The command that starts the server. All others end. */
const startCommand = 'npm run dev';

/**
 * Follows the steps in a project, except the commands that need something. The pages use a fixed port.
 * @param port the port to use instead
 */
export const followSteps = async (
  steps: readonly Step[],
  project: Project,
  port: string,
): Promise<FollowedSteps> => {
  const outputs = new Map<string, string>();
  let server: RunningCommand | undefined;
  for (const step of steps) {
    if (step.kind === 'file') {
      const path = join(project.folder, step.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.content);
    } else if (step.command === startCommand) {
      const lines = usePort(step.output ?? '', port).split('\n');
      server = await project.start(step.command, buildPattern(lines.at(-1) ?? ''));
    } else if (step.needs === undefined) {
      outputs.set(step.command, await project.run(usePort(step.command, port)));
    }
  }
  return { outputs, server };
};

/** Replaces the port that the pages use. */
export const usePort = (text: string, port: string): string =>
  text.replaceAll(/localhost:\d+/g, `localhost:${port}`);

/** Returns a pattern for the whole of an output in which `…` stands for any text. */
export const buildPattern = (output: string): RegExp =>
  new RegExp(`^${output.split('…').map(escapePattern).join('[^]*?')}$`);

const escapePattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
