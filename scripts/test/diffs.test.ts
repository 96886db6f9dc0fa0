import { describe, expect, it } from 'vitest';
import { applyDiff, applyPageDiffs } from '../docs/diffs.ts';
import { readCodeBlocks } from '../docs/markdown.ts';

const file = "import a from 'a';\n\nconst b = {\n  c: 1,\n};\n";

describe('applying a diff', () => {
  it.each([
    ['a changed line', '-  c: 1,\n+  c: 2,\n', file.replace('1', '2')],
    [
      'an added line',
      " import a from 'a';\n+import d from 'd';\n",
      file.replace('\n', "\nimport d from 'd';\n"),
    ],
    ['a removed line', "-import a from 'a';\n", file.replace("import a from 'a';\n", '')],
    [
      'two parts',
      " import a from 'a';\n+import d from 'd';\n@@\n-  c: 1,\n",
      file.replace('\n', "\nimport d from 'd';\n").replace('  c: 1,\n', ''),
    ],
    ['an empty line between', " import a from 'a';\n\n-const b = {\n+const e = {\n", file.replace('b', 'e')],
  ])('of %s changes the file', (_, diff, content) => {
    expect(applyDiff(file, diff)).toEqual({ kind: 'applied', content });
  });

  it.each([
    ['a line with another indentation', '-c: 1,\n+c: 2,\n'],
    ['a line that is not there', '-  c: 3,\n+  c: 4,\n'],
    ['one part that does not match', "-import a from 'a';\n@@\n-  c: 3,\n"],
    ['lines that are not next to each other', " import a from 'a';\n-const b = {\n+const f = {\n"],
  ])('of %s does not match', (_, diff) => {
    expect(applyDiff(file, diff)).toEqual({ kind: 'no-match' });
  });

  it('whose lines are in the file twice does not match', () => {
    expect(applyDiff(file + file, '-  c: 1,\n+  d: 1,\n')).toEqual({ kind: 'no-match' });
  });

  it('whose new lines are already there changes nothing', () => {
    expect(applyDiff(file, '-  c: 3,\n+  c: 1,\n')).toEqual({ kind: 'unchanged' });
  });
});

describe('applying the diffs of a page', () => {
  const projects = ['node', 'workers'].map((name) => ({ name, files: new Map([['src/app.ts', file]]) }));
  const apply = (markdown: string) => applyPageDiffs(readCodeBlocks(markdown), projects);
  const change = (from: number, to: number, project = ''): string =>
    `\`\`\`diff ${project}\n-  c: ${from},\n+  c: ${to},\n\`\`\`\n\n`;

  it('changes the files of all projects, one after another', () => {
    const content = file.replace('1', '3');
    const changed = new Map([['src/app.ts', content]]);
    expect(apply(change(1, 2) + change(2, 3))).toEqual({ changed: [changed, changed], unmatched: [] });
  });

  it('changes only the project that a diff names', () => {
    const changed = new Map([['src/app.ts', file.replace('1', '2')]]);
    expect(apply(change(1, 2, 'workers'))).toEqual({ changed: [new Map(), changed], unmatched: [] });
  });

  it('returns the lines of diffs that match nothing, and changes files of the page itself', () => {
    const markdown = `${change(8, 9)}\`\`\`ts\n// src/new.ts\nconst c = {\n  c: 5,\n};\n\`\`\`\n\n${change(5, 6)}`;
    expect(apply(markdown)).toEqual({ changed: [new Map(), new Map()], unmatched: [2] });
  });
});
