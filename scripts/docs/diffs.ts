/** Applies the `diff` blocks of a page, which show how a reader changes the files of a tutorial. */

import type { CodeBlock } from './markdown.ts';

/** The lines that a part of a diff expects in a file, and those that replace them. */
interface Hunk {
  readonly before: string;
  readonly after: string;
}

/** A file after a diff, or why the diff does not apply to it. */
export type DiffResult =
  | { readonly kind: 'applied'; readonly content: string }
  /** All of its new lines are already there. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'no-match' };

/**
 * Applies a diff without line numbers. A line that starts with `@@` separates its parts. The lines of each part
 * must be in the file exactly once.
 */
export const applyDiff = (content: string, diff: string): DiffResult => {
  const hunks = readHunks(diff);
  // The line break in front makes each part match whole lines.
  const text = `\n${content}`;
  if (hunks.every(({ before }) => text.split(`\n${before}`).length === 2))
    return {
      kind: 'applied',
      content: hunks
        .reduce((changed, { before, after }) => changed.split(`\n${before}`).join(`\n${after}`), text)
        .slice(1),
    };
  const isDone = hunks.every(({ after }) => after !== '' && text.includes(`\n${after}`));
  return { kind: isDone ? 'unchanged' : 'no-match' };
};

const readHunks = (diff: string): readonly Hunk[] =>
  diff
    .split(/^@@.*\n/m)
    .map((part) => part.replace(/\n$/, ''))
    .filter((part) => part !== '')
    // Editors remove the space in front of an empty line.
    .map((part) => part.split('\n').map((line) => (line === '' ? ' ' : line)))
    .map((lines) => ({ before: selectLines(lines, '-'), after: selectLines(lines, '+') }));

/** Returns the lines with one of two signs, and those that do not change. */
const selectLines = (lines: readonly string[], sign: '-' | '+'): string =>
  lines
    .filter((line) => line.startsWith(sign) || line.startsWith(' '))
    .map((line) => `${line.slice(1)}\n`)
    .join('');

/** The files of a project, by their paths in it. */
type ProjectFiles = ReadonlyMap<string, string>;

interface Project {
  /** The word after the language of a diff that is only for this project, such as `workers`. */
  readonly name: string;
  readonly files: ProjectFiles;
}

export interface ChangedProjects {
  /** The files that the diffs changed, for each project. */
  readonly changed: readonly ProjectFiles[];
  /** The lines of the diffs that apply to no file, counted from 1. */
  readonly unmatched: readonly number[];
}

/**
 * Applies the diffs of a page, in their order, to every file of the projects that they match.
 * @param blocks the code blocks of the page. Files that the page contains can be changed, too
 */
export const applyPageDiffs = (
  blocks: readonly CodeBlock[],
  projects: readonly Project[],
): ChangedProjects => {
  const ownFiles = new Map(blocks.flatMap(({ path, code }) => (path === undefined ? [] : [[path, code]])));
  const current = [...projects, { name: undefined, files: ownFiles }].map(({ name, files }) => ({
    name,
    files: new Map(files),
  }));
  const unmatched = blocks.flatMap(({ language, code, line, project }) => {
    if (language !== 'diff') return [];
    const selected = current.filter(({ name }) => project === undefined || project === name);
    const results = selected.flatMap(({ files }) =>
      [...files].map(([path, content]) => {
        const result = applyDiff(content, code);
        if (result.kind === 'applied') files.set(path, result.content);
        return result.kind;
      }),
    );
    return results.every((kind) => kind === 'no-match') ? [line] : [];
  });
  const changed = projects.map(({ files }, index) => {
    const after = current[index]?.files ?? files;
    return new Map([...after].filter(([path, content]) => files.get(path) !== content));
  });
  return { changed, unmatched };
};
