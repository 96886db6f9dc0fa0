/** Finds the examples in docstrings and READMEs. */
import { readFileSync } from 'node:fs';
import { type CodeBlock, readCodeBlocks } from '../docs/markdown.ts';

/** A code block, and the file that contains it. */
export interface Example extends CodeBlock {
  /** The path of the file, relative to the root of the workspace. */
  readonly file: string;
}

/** Returns the TypeScript blocks of every `@example` in the docstrings of a source file. */
export const readDocstringExamples = (file: string): readonly Example[] => {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/\/\*\*.*?\*\//gs)].flatMap(({ 0: comment, index }) => {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\/?\*+ ?/, ''));
    const linesBefore = source.slice(0, index).split('\n').length - 1;
    return findExamples(file, '\n'.repeat(linesBefore) + maskOutsideExamples(lines).join('\n'));
  });
};

/** Returns the TypeScript blocks of a Markdown file. */
export const readMarkdownExamples = (file: string): readonly Example[] =>
  findExamples(file, readFileSync(file, 'utf8'));

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

const findExamples = (file: string, markdown: string): readonly Example[] =>
  readCodeBlocks(markdown)
    .filter(({ language }) => /^(ts|typescript)$/i.test(language))
    .map((block) => ({ file, ...block }));
