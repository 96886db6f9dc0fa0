import { describe, expect, it } from 'vitest';
import type { Round, RoundSummary } from '../../src/game/round.ts';
import { fillTemplate, type PlayView } from '../../src/play/template.ts';

const round: Round = {
  id: 'food-de-000000000000',
  category: 'food',
  language: 'de',
  status: 'open',
  length: 5,
  mask: '_ Ä _ e _',
  wrongGuesses: ['q', 'apfel'],
  triesLeft: 4,
  hints: ['Not <b>bold</b> & "quoted"'],
  hintsLeft: 3,
  startedAt: 0,
  expiresAt: 0,
  moves: [],
};

const fill = (template: string, view: Partial<PlayView> = {}): Promise<string> =>
  fillTemplate(template, { flags: new Set(), values: {}, ...view }).text();

const flags = new Set(['a', 'b']);

describe('an element', () => {
  it.each([
    ['a', 'kept'],
    ['a b', 'kept'],
    ['a !c', 'kept'],
    ['c', ''],
    ['a c', ''],
    ['!a', ''],
    ['b !a', ''],
    ['', ''],
  ])('with the condition "%s" is %s', async (condition, kept) => {
    const expected = kept === '' ? '' : '<p><b>x</b></p>';
    expect(await fill(`<p data-if="${condition}"><b>x</b></p>`, { flags })).toBe(expected);
  });

  it.each([
    '<p data-if="c" data-text="name">x</p>',
    '<p data-if="c" data-choose="name" data-x="y">x</p>',
    '<ol data-list="hints" data-if="c"></ol>',
    '<ol data-if="c" data-list="mask"></ol>',
    '<ol data-if="c" data-list="rounds"></ol>',
    '<p data-if="c"><b data-text="name">x</b><b data-choose="name" data-x="y"></b></p>',
    '<p data-if="c"><ol data-list="hints"></ol><ol data-list="wrong"></ol><ol data-list="rounds"></ol></p>',
    '<p data-if="c"><b data-if="a">x</b><input name="round"><button name="guess" value="q">Q</button></p>',
  ])('whose condition is not met leaves nothing: %s', async (template) => {
    const view = { flags, round, rounds, values: { name: 'x' } };
    expect(await fill(`<main>${template}</main>`, view)).toBe('<main></main>');
  });
});

const rounds: readonly RoundSummary[] = [
  {
    ...{
      id: 'food-de-000000000000',
      category: 'food',
      language: 'de',
      status: 'won',
      mask: 'E i',
      points: 13,
    },
    ...{ moves: [], startedAt: 0, expiresAt: 0 },
  },
  {
    ...{
      id: 'food-en-000000000000',
      category: 'food',
      language: 'en',
      status: 'lost',
      mask: 'p i e',
      points: 0,
    },
    ...{ moves: [], startedAt: 0, expiresAt: 0 },
  },
];

describe('a value', () => {
  it('is text, never markup', async () => {
    const values = { name: '<script>"&' };
    expect(await fill('<p data-text="name">x</p>', { values })).toBe('<p>&lt;script&gt;"&amp;</p>');
  });

  it('can be a number, and is empty if there is none', async () => {
    const template = '<p data-text="count">x</p><p data-text="other">x</p>';
    expect(await fill(template, { values: { count: 0 } })).toBe('<p>0</p><p></p>');
  });

  it('selects a text of the element', async () => {
    const template = '<p class="y" data-choose="name" data-a="A &amp; B" data-b="B">x</p>';
    expect(await fill(template, { values: { name: 'a' } })).toBe('<p class="y">A &amp; B</p>');
    expect(await fill(template, { values: { name: 'c' } })).toBe('<p class="y"></p>');
  });
});

describe('a list', () => {
  it('of tiles has the letters found and the gaps', async () => {
    expect(await fill('<ol data-list="mask" data-lang></ol>', { round })).toBe(
      '<ol lang="de"><li class="blank">_</li><li>Ä</li><li class="blank">_</li><li>e</li><li class="blank">_</li></ol>',
    );
  });

  it('of hints or wrong guesses is text, never markup', async () => {
    expect(await fill('<ol data-list="hints"></ol><ul data-list="wrong"></ul>', { round })).toBe(
      '<ol><li>Not &lt;b&gt;bold&lt;/b&gt; &amp; "quoted"</li></ol><ul><li>q</li><li>apfel</li></ul>',
    );
  });

  it('of rounds links to them, with the texts of the element', async () => {
    const template =
      '<ol data-list="rounds" data-won="Guessed" data-lost="Not &lt;i>" data-food="Food"></ol>';
    expect(await fill(template, { rounds })).toBe(
      '<ol><li class="won"><a href="?round=food-de-000000000000"><span class="mask" lang="de">E i</span> <span>Food</span> <span>Guessed +13</span></a></li>' +
        '<li class="lost"><a href="?round=food-en-000000000000"><span class="mask" lang="en">p i e</span> <span>Food</span> <span>Not &lt;i></span></a></li></ol>',
    );
  });

  it('is empty without a round', async () => {
    const template = ['mask', 'hints', 'wrong', 'rounds'].map((list) => `<ol data-list="${list}"></ol>`);
    expect(await fill(template.join(''))).toBe('<ol></ol><ol></ol><ol></ol><ol></ol>');
  });
});

describe('a form', () => {
  it('sends the ID of the round', async () => {
    expect(await fill('<input type="hidden" name="round">', { roundId: '"><b>' })).toBe(
      '<input type="hidden" name="round" value="&quot;><b>">',
    );
  });

  it('has no keys for letters that were guessed, and shows which ones are correct', async () => {
    const keys = ['q', 'a', 'e', 'x'].map((key) => `<button name="guess" value="${key}">x</button>`);
    expect(await fill(keys.join(''), { round })).toBe(
      '<button name="guess" value="q" class="wrong" disabled="">x</button>' +
        '<button name="guess" value="a" class="correct" disabled="">x</button>' +
        '<button name="guess" value="e" class="correct" disabled="">x</button>' +
        '<button name="guess" value="x">x</button>',
    );
  });
});
