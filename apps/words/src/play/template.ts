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
  readonly flags: ReadonlySet<string>;
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
  return new HTMLRewriter()
    .on('[data-if]', {
      element: (element) => {
        const isMet = takeAttribute(element, 'data-if')
          .split(' ')
          .every((flag) => (flag.startsWith('!') ? !flags.has(flag.slice(1)) : flags.has(flag)));
        if (!isMet) element.remove();
      },
    })
    .on('[data-text]', {
      element: (element) => {
        element.setInnerContent(String(values[takeAttribute(element, 'data-text')] ?? ''));
      },
    })
    .on('[data-choose]', {
      element: (element) => {
        const value = values[takeAttribute(element, 'data-choose')];
        element.setInnerContent(takeTexts(element)[`data-${value}`] ?? '');
      },
    })
    .on('[data-list]', {
      element: (element) => {
        switch (takeAttribute(element, 'data-list')) {
          case 'mask':
            for (const letter of round?.mask.split(' ') ?? []) appendTile(element, letter);
            break;
          case 'hints':
            for (const hint of round?.hints ?? []) appendItem(element, hint);
            break;
          case 'wrong':
            for (const guess of round?.wrongGuesses ?? []) appendItem(element, guess);
            break;
          case 'rounds': {
            const labels = takeTexts(element);
            for (const each of rounds) appendRound(element, each, labels);
          }
        }
      },
    })
    .on('[data-lang]', {
      element: (element) => {
        element.removeAttribute('data-lang').setAttribute('lang', round?.language ?? '');
      },
    })
    .on('input[name=round]', {
      element: (element) => {
        element.setAttribute('value', roundId);
      },
    })
    .on('button[name=guess]', {
      element: (element) => {
        const letter = element.getAttribute('value') ?? '';
        const isFound = foundLetters.includes(letter);
        if (isFound || round?.wrongGuesses.includes(letter))
          element.setAttribute('class', isFound ? 'correct' : 'wrong').setAttribute('disabled', '');
      },
    })
    .transform(new Response(template));
};

const takeAttribute = (element: Element, name: string): string => {
  const value = element.getAttribute(name) ?? '';
  element.removeAttribute(name);
  return value;
};

/** Removes the attributes `data-…` of an element, which contain its texts, and returns them. */
const takeTexts = (element: Element): Readonly<Record<string, string>> => {
  const texts = Object.fromEntries([...element.attributes].filter(([name]) => name?.startsWith('data-')));
  for (const name of Object.keys(texts)) element.removeAttribute(name);
  return texts;
};

// Only `append` without options escapes its text.
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
  { id, status, mask, language, points }: RoundSummary,
  labels: Readonly<Record<string, string>>,
): void => {
  element.append(
    `<li class="${status}"><a href="?round=${id}"><span class="mask" lang="${language}">`,
    asHtml,
  );
  element
    .append(mask)
    .append('</span> <span>', asHtml)
    .append(labels[`data-${status}`] ?? '');
  element.append(`${status === 'won' ? ` +${points}` : ''}</span></a></li>`, asHtml);
};
