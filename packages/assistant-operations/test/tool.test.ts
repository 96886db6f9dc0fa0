import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { DefinitionError, defineApi, defineOperation, noInput } from '../src/index.ts';
import { getBook, listBooks, type Shelf } from './library.ts';
import { buildCall, buildMessage, createMcpLibrary, eras, readResult } from './mcp-library.ts';

describe('tools/list', () => {
  it.each(eras)('describes the tools in %s, in the order of the operations', async (era) => {
    const { send } = createMcpLibrary({}, defineApi([getBook, listBooks]));
    const { tools } = await readResult(await send(buildMessage(era, 'tools/list')));
    const securitySchemes = [{ type: 'oauth2', scopes: ['read'] }];
    const shared = {
      annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
      securitySchemes,
      _meta: { securitySchemes },
    };
    expect(tools).toEqual([
      {
        name: 'get_book',
        title: 'Get a book',
        description: 'Returns one book.',
        inputSchema: {
          type: 'object',
          properties: { title: { type: 'string' } },
          required: ['title'],
          additionalProperties: false,
        },
        outputSchema: {
          type: 'object',
          properties: { title: { type: 'string' }, reader: { type: 'string' } },
          required: ['title', 'reader'],
          additionalProperties: false,
        },
        ...shared,
      },
      {
        name: 'list_books',
        title: 'List the books',
        description: 'Returns the titles of all books, or of those that contain a word.',
        inputSchema: {
          type: 'object',
          properties: { word: { type: 'string', description: 'A word that the title must contain.' } },
          required: [],
          additionalProperties: false,
        },
        outputSchema: {
          type: 'object',
          properties: {
            result: { type: 'array', items: { type: 'string' }, description: 'The titles.' },
          },
          required: ['result'],
          additionalProperties: false,
        },
        ...shared,
      },
    ]);
  });

  it.each([
    ['get', false, true, false, false],
    ['get', true, true, false, true],
    ['post', false, false, false, false],
    ['post', true, false, true, true],
    ['patch', false, false, false, false],
    ['put', false, false, true, false],
    ['delete', false, false, true, false],
    ['delete', true, false, true, true],
  ] as const)('%s, consequential %s: read-only %s, destructive %s, open world %s', async (...row) => {
    const [method, isConsequential, readOnlyHint, destructiveHint, openWorldHint] = row;
    const operation = { ...listBooks, method, isConsequential };
    const { send } = createMcpLibrary({}, defineApi([operation]));
    expect(await readResult(await send(buildMessage('2025-11-25', 'tools/list')))).toMatchObject({
      tools: [{ annotations: { readOnlyHint, destructiveHint, openWorldHint } }],
    });
  });

  it('uses the name, the title, the annotations and the further members of _meta from the definition', async () => {
    const tool = {
      name: 'search',
      title: 'Search',
      annotations: { openWorldHint: true },
      meta: { 'openai/toolInvocation/invoking': 'Searching' },
    };
    const { send } = createMcpLibrary({}, defineApi([{ ...listBooks, tool }]));
    expect(await readResult(await send(buildMessage('2025-11-25', 'tools/list')))).toMatchObject({
      tools: [
        {
          name: 'search',
          title: 'Search',
          annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: true },
          _meta: {
            'openai/toolInvocation/invoking': 'Searching',
            securitySchemes: [{ type: 'oauth2', scopes: ['read'] }],
          },
        },
      ],
    });
    expect(await readResult(await send(buildCall('2025-11-25', 'search')))).toMatchObject({
      structuredContent: { result: ['Emma', 'Dracula'] },
    });
  });

  it('refers to the definitions of a recursive output from the root of its schema', async () => {
    interface NestedShelf {
      readonly books: string[];
      readonly below: NestedShelf | null;
    }
    const shelf: v.GenericSchema<NestedShelf> = v.object({
      books: v.array(v.string()),
      below: v.nullable(v.lazy(() => shelf)),
    });
    const output = { books: ['Emma'], below: { books: ['Dracula'], below: null } };
    const nested = defineOperation({
      ...listBooks,
      output: v.array(shelf),
      handle: async (_, __: Shelf) => [output],
    });
    const { send, errors } = createMcpLibrary({}, defineApi([nested]));
    expect(await readResult(await send(buildCall('2025-11-25', 'list_books')))).toMatchObject({
      structuredContent: { result: [output] },
    });
    expect(errors).toEqual([]);
  });
});

describe('defineApi, for tools', () => {
  const withTool = (tool: object) => ({ ...listBooks, tool });
  const withInput = (name: string) =>
    defineOperation({
      ...listBooks,
      input: v.strictObject({ outer: v.object({ [name]: v.string() }) }),
      handle: async (_, __: Shelf) => [],
    });
  const file = (entries: v.ObjectEntries) =>
    defineOperation({
      ...listBooks,
      input: v.strictObject({ file: v.object(entries) }),
      tool: { meta: { 'openai/fileParams': ['file'] } },
      handle: async (_, __: Shelf) => [],
    });
  const profile = (entries: v.ObjectEntries, method: 'get' | 'post' = 'get') => ({
    ...listBooks,
    method,
    input: noInput,
    output: v.object(entries),
    tool: { meta: { 'openai/profile': true } },
  });
  const nameRule = (name: string) =>
    `list_books: the name of the MCP tool must be 1 to 64 characters of a-z, 0-9 and _, not ${name}. Change the ID, or set tool.name.`;
  const fileRule =
    'list_books: tool.meta: openai/fileParams must list input fields that are objects with download_url and file_id, and optionally mime_type and file_name.';
  const profileRule =
    'list_books: tool.meta: a tool with openai/profile must be read-only, and its output must be an object with id, and optionally name, email and nickname.';
  const text = v.string();

  it.each([
    ['a name in upper case', withTool({ name: 'listBooks' }), nameRule('listBooks')],
    ['an empty name', withTool({ name: '' }), nameRule('')],
    ['a name of 65 characters', withTool({ name: 'x'.repeat(65) }), nameRule('x'.repeat(65))],
    ['an empty title', withTool({ title: '' }), 'list_books: tool.title must not be empty.'],
    [
      'read-only and destructive',
      withTool({ annotations: { destructiveHint: true } }),
      'list_books: a tool must not be both read-only and destructive.',
    ],
    [
      'an input field that Claude does not accept',
      withInput('a b'),
      'list_books: the names of input fields must be 1 to 64 characters of A-Z, a-z, 0-9, _, . and -, not a b.',
    ],
    [
      'security schemes in _meta',
      withTool({ meta: { securitySchemes: [] } }),
      'list_books: tool.meta must not contain securitySchemes, which come from the scopes.',
    ],
    [
      'a long text while the tool runs',
      withTool({ meta: { 'openai/toolInvocation/invoking': 'x'.repeat(65) } }),
      'list_books: tool.meta: openai/toolInvocation/invoking must be text of at most 64 characters.',
    ],
    [
      'no text after the tool ran',
      withTool({ meta: { 'openai/toolInvocation/invoked': true } }),
      'list_books: tool.meta: openai/toolInvocation/invoked must be text of at most 64 characters.',
    ],
    [
      'a file parameter that is not an input field',
      withTool({ meta: { 'openai/fileParams': ['other'] } }),
      fileRule,
    ],
    ['a file parameter that is text', withTool({ meta: { 'openai/fileParams': ['word'] } }), fileRule],
    ['a file parameter without an ID', file({ download_url: text }), fileRule],
    [
      'a file parameter with another field',
      file({ download_url: text, file_id: text, size: v.optional(v.number()) }),
      fileRule,
    ],
    [
      'a file parameter with an optional ID',
      file({ download_url: text, file_id: v.optional(text) }),
      fileRule,
    ],
    ['a profile that is not read-only', profile({ id: v.string() }, 'post'), profileRule],
    ['a profile without an ID', profile({ email: v.string() }), profileRule],
    [
      'a profile with another member',
      profile({ id: v.string(), score: v.optional(v.number()) }),
      profileRule,
    ],
  ] as const)('rejects %s', (_, operation, message) => {
    expect(() => defineApi<Shelf>([operation])).toThrow(new DefinitionError(message));
  });

  it('rejects an ID that is not the name of a tool, unless a name is set', () => {
    const operation = { ...listBooks, id: 'listBooks' };
    expect(() => defineApi([operation])).toThrow(
      new DefinitionError(nameRule('listBooks').replace('list_books', 'listBooks')),
    );
    expect(defineApi([{ ...operation, tool: { name: 'list_books' } }]).operations).toHaveLength(1);
  });

  it('rejects two tools with the same name', () => {
    expect(() => defineApi([listBooks, { ...getBook, tool: { name: 'list_books' } }])).toThrow(
      new DefinitionError('get_book: list_books is already used by list_books.'),
    );
  });

  it('rejects an output that JSON Schema cannot describe', () => {
    expect(() => defineApi([{ ...listBooks, output: v.date() }])).toThrow('date');
  });

  it('accepts files and a profile that follow the rules', () => {
    const valid = [
      file({ download_url: text, file_id: text, mime_type: v.optional(text), file_name: v.optional(text) }),
      { ...profile({ id: text, name: v.optional(text) }), id: 'get_profile', path: '/api/profile' as const },
    ];
    expect(defineApi<Shelf>(valid).operations).toHaveLength(2);
  });
});
