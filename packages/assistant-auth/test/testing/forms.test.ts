/** The reader of forms: values and buttons, and markup that is not valid. */
import { assert, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Form, readForms } from '../../src/testing/index.ts';

const emptyForm: Form = { action: '', method: 'GET', fields: [], buttons: [] };

describe('the fields of a form', () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    [
      '<input name=a value=1><INPUT NAME="b" VALUE=\'2\' /><input name=c>',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', ''],
      ],
    ],
    ['<input type=hidden name=a value="x > y">', [['a', 'x > y']]],
    [
      '<input name=a value="&quot;&amp;&lt;&#x41;&#66;&nbsp;&unknown;&#0;">',
      [['a', '"&<AB\u00A0&unknown;&#0;']],
    ],
    ['<input value=1><input name="" value=2><input name=a value=3 disabled>', []],
    ['<input type=checkbox name=a><input type=checkbox name=b checked>', [['b', 'on']]],
    ['<input type=radio name=a value=1><input type=radio name=a value=2 checked>', [['a', '2']]],
    [
      '<input type=submit name=a><input type=image name=b><input type=file name=c><input type=reset name=d>',
      [],
    ],
    ['<textarea name=a>\n<b>1</b> &amp; 2</textarea>', [['a', '<b>1</b> & 2']]],
    ['<select name=a><option value=1>One<option value=2 selected>Two</select>', [['a', '2']]],
    ['<select name=a><option disabled>No<option> One\n two </option></select>', [['a', 'One two']]],
    [
      '<select name=a multiple><option selected>1<option>2<option selected>3</select>',
      [
        ['a', '1'],
        ['a', '3'],
      ],
    ],
    ['<select name=a></select>', []],
    ['<!-- <input name=a> --><script>"<input name=b>"</script><style><input name=c></style>', []],
    ['<input name=a value=1 value=2 name=b>', [['a', '1']]],
    ['<button type=button name=a value=1>No</button>', []],
    ['<noscript><input name=a value=1></noscript>', [['a', '1']]],
  ])('of %s are read', (html, fields) => {
    expect(readForms(`<form>${html}</form>`)[0]?.fields).toEqual(fields);
  });

  it('belong to their form, or to the one that they name', () => {
    const html =
      '<input name=a><form id=f><input name=b><form><input name=c></form></form><input name=d>' +
      '<form><input name=e form=f><input name=g></form><input name=h form=other>' +
      '<select name=s form=f><option>1</select>';
    const names = readForms(html).map(({ fields }) => fields.map(([name]) => name));
    expect(names).toEqual([['b', 'c', 'e', 's'], ['g']]);
  });
});

describe('the buttons of a form', () => {
  it.each<[string, Form['buttons']]>([
    [
      '<button name=a value=1> Continue\n<b>with</b> <i></i>A &amp; B</button>',
      [{ text: 'Continue with A & B', field: ['a', '1'] }],
    ],
    ['<button name=a>One<button>Two', [{ text: 'One', field: ['a', ''] }, { text: 'Two' }]],
    ['<input type=submit>', [{ text: 'Submit' }]],
    ['<input type=SUBMIT name=a value="Go on">', [{ text: 'Go on', field: ['a', 'Go on'] }]],
    [
      '<button formaction=" /other " formmethod=POST>Go</button>',
      [{ text: 'Go', action: '/other', method: 'POST' }],
    ],
    ['<button disabled>1</button><button type=reset>2</button><button type=button>3</button>', []],
    ['<button>A<!-- B --><script>C</script></button>', [{ text: 'A' }]],
  ])('of %s are read', (html, buttons) => {
    expect(readForms(`<form>${html}</form>`)[0]?.buttons).toEqual(buttons);
  });
});

describe('a form', () => {
  it.each<[string, readonly Form[]]>([
    ['', []],
    ['<form', []],
    ['<form>', [emptyForm]],
    [
      '<FORM ACTION="/a?b=1&amp;c=2" METHOD="Post">',
      [{ ...emptyForm, action: '/a?b=1&c=2', method: 'POST' }],
    ],
    ['<form method=dialog></form></form><form action=/b>', [emptyForm, { ...emptyForm, action: '/b' }]],
    ['<title><form></title><textarea><form></textarea><!-- <form> --><!doctype html><formula>', []],
    ['<script>if (1 < 2) "<form>"</script ><form>', [emptyForm]],
  ])('is read from %j', (html, forms) => {
    expect(readForms(html)).toEqual(forms);
  });

  it('is read from any text without an error', () => {
    const markup = stringMatching(
      /^(<|>|\/|=|"|'|&|;|#|!|-| |form|input|button|select|option|name|value){0,60}$/,
    );
    expect(() => {
      assert(property(string(), (html) => readForms(html).length >= 0));
      assert(property(markup, (html) => readForms(`<form>${html}`).length >= 1));
    }).not.toThrow();
  });

  it('has the values that were escaped into it', () => {
    const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    expect(() =>
      assert(
        property(string(), (value) => {
          const [form] = readForms(`<form><input name=a value="${escapeText(value)}"></form>`);
          expect(form?.fields).toEqual([['a', value]]);
        }),
      ),
    ).not.toThrow();
  });
});
