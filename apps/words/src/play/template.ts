/**
 * Fills in the page `/play`. Its template is a static file for each language (`public/<language>/play.html`), with
 * every text that people read. Attributes of the template say what the app fills in:
 *
 * - `data-if="a !b"`: the element is removed unless the flag `a` is set and `b` is not.
 * - `data-text="name"`: the content is a value.
 * - `data-choose="name"`: the content is one of the element’s own texts, its attribute `data-<value>`.
 * - `data-list="mask | hints | wrong | rounds"`: the content is a list.
 * - `data-lang`: the language is that of the word.
 */
import type { Bindings } from '../bindings.ts';
import { toBaseLetters } from '../game/guess.ts';
import type { Round, RoundSummary } from '../game/round.ts';

/** What a page shows. */
export interface PlayView {
  /** The conditions that are met. */
  readonly flags: ReadonlySet<string>;
  /** The values, by name. */
  readonly values: Readonly<Record<string, string | number>>;
  readonly round?: Round;
  /** The value of the field `round` in each form. */
  readonly roundId?: string;
  /** Rounds to list. */
  readonly rounds?: readonly RoundSummary[];
}

/** Creates the function that reads the template of a language from the static files of a deployment. */
export const createTemplateReader = (origin: string, assets: Bindings['assets']) => {
  const templates = new Map<string, string>();
  return async (language: string): Promise<string> => {
    const known = templates.get(language);
    if (known !== undefined) return known;
    const response = await assets.fetch(`${origin}/${language}/play`);
    if (!response.ok) throw new Error(`the template could not be read: ${response.status}`);
    const template = await response.text();
    templates.set(language, template);
    return template;
  };
};

/** Fills in a template. */
export const fillTemplate = (
  template: string,
  { flags, values, round, roundId = '', rounds = [] }: PlayView,
): Response => {
  const foundLetters = toBaseLetters(round?.mask ?? '');
  const fillers: Readonly<Record<string, (element: Element) => void>> = {
    '[data-if]': (element) => {
      const conditions = takeAttribute(element, 'data-if').split(' ');
      const isMet = conditions.every((flag) =>
        flag.startsWith('!') ? !flags.has(flag.slice(1)) : flags.has(flag),
      );
      if (!isMet) element.remove();
    },
    '[data-text]': (element) => {
      element.setInnerContent(String(values[takeAttribute(element, 'data-text')] ?? ''));
    },
    '[data-choose]': (element) => {
      const value = values[takeAttribute(element, 'data-choose')];
      element.setInnerContent(takeTexts(element)[`data-${value}`] ?? '', asHtml);
    },
    '[data-list=mask]': (element) => {
      for (const letter of round?.mask.split(' ') ?? []) appendTile(element, letter);
    },
    '[data-list=hints]': (element) => {
      for (const hint of round?.hints ?? []) appendItem(element, hint);
    },
    '[data-list=wrong]': (element) => {
      for (const guess of round?.wrongGuesses ?? []) appendItem(element, guess);
    },
    '[data-list=rounds]': (element) => {
      const labels = takeTexts(element);
      for (const each of rounds) appendRound(element, each, labels);
    },
    '[data-list]': (element) => {
      element.removeAttribute('data-list');
    },
    '[data-lang]': (element) => {
      element.removeAttribute('data-lang').setAttribute('lang', round?.language ?? '');
    },
    'input[name=round]': (element) => {
      element.setAttribute('value', roundId);
    },
    'button[name=guess]': (element) => {
      const letter = element.getAttribute('value') ?? '';
      const isFound = foundLetters.includes(letter);
      if (isFound || round?.wrongGuesses.includes(letter))
        element.setAttribute('class', isFound ? 'correct' : 'wrong').setAttribute('disabled', '');
    },
  };
  const rewriter = new HTMLRewriter();
  // What is appended to an element that was removed would be kept.
  for (const [selector, fill] of Object.entries(fillers))
    rewriter.on(selector, { element: (element) => void (element.removed || fill(element)) });
  return rewriter.transform(new Response(template));
};

const takeAttribute = (element: Element, name: string): string => {
  const value = element.getAttribute(name) ?? '';
  element.removeAttribute(name);
  return value;
};

/** Removes the attributes `data-…` of an element, which contain its texts, and returns them as HTML. */
const takeTexts = (element: Element): Readonly<Record<string, string>> => {
  const texts = Object.fromEntries([...element.attributes].filter(([name]) => name?.startsWith('data-')));
  for (const name of Object.keys(texts)) element.removeAttribute(name);
  return texts;
};

// Without this option, a text is escaped.
const asHtml = { html: true } as const;

const appendItem = (element: Element, text: string): void => {
  element.append('<li>', asHtml).append(text).append('</li>', asHtml);
};

const appendTile = (element: Element, letter: string): void => {
  element.append(letter === '_' ? '<li class="blank">' : '<li>', asHtml);
  element.append(letter).append('</li>', asHtml);
};

const appendRound = (
  element: Element,
  { id, category, status, mask, language, points }: RoundSummary,
  labels: Readonly<Record<string, string>>,
): void => {
  element.append(
    `<li class="${status}"><a href="?round=${id}"><span class="mask" lang="${language}">`,
    asHtml,
  );
  element.append(mask);
  const result = `${labels[`data-${status}`] ?? ''}${status === 'won' ? ` +${points}` : ''}`;
  element.append(
    `</span> <span>${labels[`data-${category}`] ?? ''}</span> <span>${result}</span></a></li>`,
    asHtml,
  );
};
