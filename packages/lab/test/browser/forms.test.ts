import { describe, expect, it } from 'vitest';
import { readForms } from '../../src/browser/forms.ts';

describe('reading forms', () => {
  it('gives action, method, inputs and buttons as a browser sees them', () => {
    const html = `
      <p>not a form <input name="outside" value="x"></p>
      <form class=a action="/authorize/consent?a=1&amp;b=2" METHOD='post'>
        <input type="hidden" name="sealed" value="a&quot;b&#39;c&#x3c;d"/>
        <input type="checkbox">
        <button name="provider" value="google" type="submit">
          <span>Continue with</span>
          Google &amp; co
        </button>
        <button>Plain</button>
      </form>
      <form></form>`;
    expect(readForms(html)).toEqual([
      {
        action: '/authorize/consent?a=1&b=2',
        method: 'POST',
        fields: [['sealed', `a"b'c<d`]],
        buttons: [
          { name: 'provider', value: 'google', text: 'Continue with Google & co' },
          { value: '', text: 'Plain' },
        ],
      },
      { action: '', method: 'GET', fields: [], buttons: [] },
    ]);
  });
});
