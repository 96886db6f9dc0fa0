/** The check of the links in Markdown pages. */
import { describe, expect, it } from 'vitest';
import { findLinkProblems, findReachablePages } from '../docs/links.ts';
import { readMarkdownPage } from '../docs/markdown.ts';

const createRepository = (sources: Readonly<Record<string, string>>) => ({
  paths: new Set(['.', 'guide', 'LICENSE', 'a [b].ts', ...Object.keys(sources)]),
  pages: new Map(Object.entries(sources).map(([path, source]) => [path, readMarkdownPage(source)])),
});

const findProblems = (markdown: string): readonly string[] =>
  findLinkProblems(
    createRepository({
      'guide/page.md': markdown,
      'guide/other.md': '# Keys, and `env`\n\n<a id="here"></a>\n\n# Twice\n\n# Twice\n',
    }),
    'guide/page.md',
  );

describe('links', () => {
  it.each([
    '[a](other.md)',
    '[a](other.md#keys-and-env) and [b](other.md#here), [c](other.md#twice-1)',
    '# Title\n\n[a](#title)',
    '[a][b]\n\n[b]: ../LICENSE',
    '[a](.) [b](..) [c](../guide/)',
    '[a](<../a [b].ts>) [b](../a%20%5Bb%5D.ts)',
    '![a](../LICENSE)\n\n<img src="../LICENSE" data-id="x">',
    '[a](https://example.com/b#c) [b](mailto:ada@example.com) [c](http://localhost:8787/play)',
    '`[a](missing.md)` and\n\n```md\n[a](missing.md)\n```',
    '\\[a\\] and [x] and (y)',
  ])('of %j have no problems', (markdown) => {
    expect(findProblems(markdown)).toEqual([]);
  });

  it.each([
    ['[a](missing.md)', 'missing.md does not exist'],
    ['![a](missing.png)', 'missing.png does not exist'],
    ["<img\n  SRC = 'missing.png'>", 'missing.png does not exist'],
    ['[a](OTHER.md)', 'OTHER.md does not exist'],
    ['[a](../../outside.md)', '../../outside.md does not exist'],
    ['[a](other.md#missing)', 'other.md#missing names a heading that does not exist'],
    ['[a](#missing)', '#missing names a heading that does not exist'],
    ['[a](../LICENSE#l1)', '../LICENSE#l1 has an anchor, but is not a page'],
    ['[a]()', 'an empty target leads nowhere'],
    ['[a](/guide/other.md)', '/guide/other.md is neither an https URL nor a relative path'],
    ['[a](http://example.com)', 'http://example.com is neither an https URL nor a relative path'],
    ['[a](javascript:x)', '[a](javascript:x) is not a link'],
    ['[a](%zz.md)', '%zz.md is neither an https URL nor a relative path'],
    ['[a](https://exa mple)', '[a](https://exa mple) is not a link'],
    ['[a](https://[)', 'https://[ is not a valid URL'],
    ['[a](other page.md)', '[a](other page.md) is not a link'],
    ['[a][b]', '[a][b] is not a link'],
    ['see the [a][] of', '[a][] is not a link'],
  ])('of %j have the problem "%s"', (markdown, problem) => {
    expect(findProblems(`Text.\n\n${markdown}\n`)).toEqual([`guide/page.md:3: ${problem}`]);
  });
});

describe('pages', () => {
  it('are reached by links and by links to their folder, but not by code', () => {
    const repository = createRepository({
      'README.md': '[a](guide) and `[c](guide/c.md)`',
      'guide/README.md': '[b](b.md) [home](../README.md)',
      'guide/b.md': '# B',
      'guide/c.md': '# C',
    });
    expect([...findReachablePages(repository, 'README.md')]).toEqual([
      'README.md',
      'guide/README.md',
      'guide/b.md',
    ]);
  });
});
