import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createOpenApiDocument, toYaml } from '../../src/index.ts';
import { library } from '../library.ts';

const document = createOpenApiDocument(library, {
  title: 'Library: the “second”',
  version: '1.0',
  description: 'yes',
  origin: 'https://library.example',
  authorizationUrl: 'https://library.example/authorize',
  tokenUrl: 'https://library.example/token',
  scopes: { read: '#read', rate: '- rate' },
});

describe('YAML', () => {
  it('reads back as the document that was written', () => {
    expect(parse(toYaml(document))).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('reads back as any JSON value that was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parse(toYaml(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['yes'],
    ['Null'],
    ['~'],
    ['1.0'],
    ['a: b'],
    ['a #b'],
    ['- a'],
    ['a '],
    [''],
    ['.inf'],
    ['0x10'],
    ['2026-11-23'],
    ['a\nb'],
    ['é'],
    ['<<'],
    ['='],
  ])('keeps the text %j a text, as value and as key', (text) => {
    expect(parse(toYaml({ [text]: [text] }))).toEqual({ [text]: [text] });
    expect(parse(toYaml({ [text]: [text] }), { version: '1.1' })).toEqual({ [text]: [text] });
  });

  it('is meant for reading', () => {
    expect(toYaml({ a: { b: [1, { c: 'plain text', d: 'x: y' }], e: undefined }, f: [], g: {} })).toBe(
      ['a:', '  b:', '    - 1', '    - c: plain text', '      d: "x: y"', 'f: []', 'g: {}', ''].join('\n'),
    );
  });
});
