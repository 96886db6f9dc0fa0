/** Finds the examples in docstrings and READMEs. */
import { readFileSync } from 'node:fs';

/** One code block, and where it is. */
export interface Example {
  /** The file that contains the example, relative to the root of the workspace. */
  readonly file: string;
  /** The line of the first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** The path of the file, if the first line is a comment with only that, such as `// src/worker.ts`. */
  readonly path?: string;
}

/** Returns the TypeScript blocks of every `@example` in the docstrings of a source file. */
export const readDocstringExamples = (file: string): readonly Example[] => {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/\/\*\*.*?\*\//gs)].flatMap(({ 0: comment, index }) => {
    const firstLine = countLines(source.slice(0, index));
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\/?\*+ ?/, ''));
    return findBlocks(file, maskOutsideExamples(lines), firstLine);
  });
};

/** Returns the TypeScript blocks of a Markdown file. */
export const readMarkdownExamples = (file: string): readonly Example[] =>
  findBlocks(file, readFileSync(file, 'utf8').split('\n'), 1);

/**
 * Replaces the lines that are not in an `@example` with empty lines, so that the line numbers stay the same.
 */
const maskOutsideExamples = (lines: readonly string[]): readonly string[] => {
  let isExample = false;
  let isCode = false;
  return lines.map((line) => {
    if (line.startsWith('```')) isCode = !isCode;
    else if (!isCode && line.startsWith('@')) isExample = /^@example\b/.test(line);
    return isExample ? line : '';
  });
};

const findBlocks = (file: string, lines: readonly string[], firstLine: number): readonly Example[] => {
  const examples: Example[] = [];
  let start: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (start !== undefined && line.startsWith('```')) {
      const code = lines.slice(start, index).join('\n');
      const [, path] = /^\/\/ ([\w./-]+\.ts)\n/.exec(code) ?? [];
      examples.push({ file, line: firstLine + start, code, ...(path !== undefined && { path }) });
      start = undefined;
    } else if (/^```(ts|typescript)\b/.test(line)) start = index + 1;
  }
  return examples;
};

const countLines = (text: string): number => text.split('\n').length;
