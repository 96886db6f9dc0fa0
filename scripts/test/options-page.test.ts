/** Tests the page of options with a small API. The page of the packages is compared by `npm run check`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application, LogLevel, type ProjectReflection } from 'typedoc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOptionsPage } from '../api-reference/options-page.ts';
import { renderTable, wrapProse } from '../docs/format.ts';

const things = `
/** The colors of a thing. */
export interface Colors {
  /** The color of buttons. Default: green. */
  readonly accent?: string;
}

/** How long a thing lasts. */
export interface Lifetimes {
  /** How long it is new. Default: 10 minutes. */
  readonly recent: number;
}

/** What both kinds of things share. */
export interface SharedOptions {
  /** The ID. It can contain a dot, as in \`a.b\`. Secret. */
  readonly id: string;
}

/** The options of createThing. */
export interface ThingOptions extends SharedOptions {
  /** ${'A long sentence that leaves no space. '.repeat(5)}Secret. Default: none, e.g. at home. */
  readonly key?: string;
  /** The lifetimes. Default: the defaults of {@link Lifetimes}. */
  readonly lifetimes?: Partial<Lifetimes>;
  /** The style. Default: plain. */
  readonly style?: {
    /** Its colors. Default: none. */
    readonly colors?: Colors;
  };
  /** Whom to ask. Default: \`'nobody' | 'owner'\`. */
  readonly ask?: readonly ('nobody' | 'owner')[];
  /** Returns the size. Required unless \`key\` is set. Default on Mars: 3. */
  readonly size?: (name: string) => number | undefined;
}

/** A thing. */
export interface Thing {
  /** Opens it. */
  open(options?: OpenOptions): void;
}

/** The options of open. */
export interface OpenOptions {
  /** How fast. Default: slowly. */
  readonly speed?: 'slow' | 'fast';
}

/** Creates a thing. It has no name. */
export const createThing = (options: ThingOptions): Thing => ({ open: () => void options });

/** Creates another thing. */
export const createOther = (options: SharedOptions): Thing => createThing(options);

/** Breaks a thing. */
export const breakThing = (thing: Thing): void => thing.open();
`;

const others = `
import type { SharedOptions } from './things.ts';

/** The options of find. */
export interface FindOptions extends SharedOptions {
  /** How many. */
  readonly limit?: number;
}

/** Finds things. */
export const find = (options: FindOptions): void => void options;
`;

let folder: string;
let project: ProjectReflection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'options-page-'));
  writeFileSync(join(folder, 'things.ts'), things);
  writeFileSync(join(folder, 'others.ts'), others);
  const compilerOptions = { strict: true, allowImportingTsExtensions: true, noEmit: true, types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const application = await Application.bootstrap({
    entryPoints: ['things.ts', 'others.ts'].map((file) => join(folder, file)),
    tsconfig: join(folder, 'tsconfig.json'),
    sort: ['source-order'],
    readme: 'none',
    logLevel: LogLevel.Error,
  });
  const converted = await application.convert();
  if (converted === undefined) throw new Error('typedoc found no API');
  project = converted;
});

afterAll(() => rmSync(folder, { recursive: true }));

const complete = [
  ['Things', [['createThing'], ['createOther'], ['thing.open']]],
  ['Other functions', [['find']]],
] as const;

describe('the problems', () => {
  it('are the options without a default', () => {
    expect(readOptionsPage(project, complete).problems).toEqual([
      'others.FindOptions.limit is optional, but its docstring has no default',
    ]);
  });

  it('are functions and methods without a section, and sections without a function', () => {
    expect(readOptionsPage(project, [['Things', [['createThing'], ['createCat']]]]).problems).toEqual([
      'The page of options has a section for createCat, which is not a public function',
      'The page of options has no section for find',
      'The page of options has no section for createOther',
      'The page of options has no section for thing.open',
    ]);
  });

  it('are functions in the section of a function with other options', () => {
    const { problems } = readOptionsPage(project, [
      ['Things', [['createThing', 'createOther', 'breakThing'], ['thing.open'], ['find']]],
    ]);
    expect(problems.slice(0, 2)).toEqual([
      'The page of options shows no options for createOther, or those of another function',
      'The page of options shows no options for breakThing, or those of another function',
    ]);
  });
});

describe('the page', () => {
  const render = (): string => readOptionsPage(project, complete).render(({ name }) => `api.md#${name}`);

  it('has a row for each option, with its type and its default', () => {
    expect(render()).toContain(`### \`createThing()\`

[\`createThing(options)\`](api.md#createThing) of \`things\` creates a thing.

`);
    const rows = [
      '| [`key`](api.md#key) | `string` | none, e.g. at home | A long sentence that leaves no space. A long sentence that leaves no space. A long sentence that leaves no space. A long sentence that leaves no space. Secret. |',
      '| [`lifetimes`](api.md#lifetimes) | [`Lifetimes`](#lifetimes-of-creatething) | the defaults of [`Lifetimes`](#lifetimes-of-creatething) | The lifetimes. |',
      '| [`style`](api.md#style) | `object` | plain | The style. |',
      '| [`style.colors`](api.md#colors) | [`Colors`](#stylecolors-of-creatething) | none | Its colors. |',
      "| [`ask`](api.md#ask) | array of `'nobody'` or `'owner'` | `'nobody' \\| 'owner'` | Whom to ask. |",
      '| [`size`](api.md#size) | `(name) => number \\| undefined` | **required** unless `key` is set. On Mars: 3 | Returns the size. |',
      '| [`id`](api.md#id) | `string` | **required** | The ID. It can contain a dot, as in `a.b`. Secret. |',
    ];
    for (const row of rows) expect(render()).toContain(row);
  });

  it('has a table for each option that has options itself', () => {
    expect(render()).toContain(`#### \`lifetimes\` of \`createThing()\`

How long a thing lasts.

| Option | Type | Default | Description |
| --- | --- | --- | --- |
| [\`recent\`](api.md#recent) | \`number\` | 10 minutes | How long it is new. |
`);
  });

  it('has an index, with the functions that have no options', () => {
    expect(render()).toContain(`
- [Things](#things):
  [\`createThing()\`](#creatething),
  [\`createOther()\`](#createother),
  [\`thing.open()\`](#thingopen)
- [Other functions](#other-functions):
  [\`find()\`](#find)
- [Functions without options](#functions-without-options)
`);
    expect(render()).toContain('| [`breakThing(thing)`](api.md#breakThing) | `things` | Breaks a thing. |');
  });
});

describe('wrapProse', () => {
  it('breaks lines at spaces, but not within code and links', () => {
    const text = 'One `two three` four [five `six`](seven eight), nine.';
    expect(wrapProse(text, 16)).toBe('One `two three`\nfour\n[five `six`](seven eight),\nnine.');
  });
});

describe('renderTable', () => {
  it('renders the head and the rows', () => {
    expect(renderTable(['A', 'B'], [['1', '2 | 3']])).toBe('| A | B |\n| --- | --- |\n| 1 | 2 \\| 3 |');
  });
});
