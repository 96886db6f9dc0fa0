/**
 * Sends the forms of the play page without loading the whole page, and lets a physical keyboard press the keys.
 * The page works without this script.
 */
const status = document.getElementById('status');
let isSending = false;

const findMain = () => document.querySelector('main.play');

document.addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  // A sign-out loads a new page, so that nothing of the session stays in this one.
  if (form.method !== 'post' || !findMain().contains(form) || submitter?.value === 'sign-out') return;
  event.preventDefault();
  if (!isSending) send(form, submitter);
});

const send = async (form, submitter) => {
  isSending = true;
  findMain().setAttribute('aria-busy', 'true');
  const result = await load(form, submitter).catch(() => undefined);
  isSending = false;
  if (result !== undefined) return showPage(result);
  // The game may have received the form, so it is not sent again. The page shows the current state.
  location.reload();
};

/** Sends a form. Returns `undefined` if the response is not this page. */
const load = async (form, submitter) => {
  // `form.action` would be the button with this name.
  const response = await fetch(form.getAttribute('action'), {
    method: 'POST',
    body: new URLSearchParams(new FormData(form, submitter)),
  });
  if (!response.ok) return undefined;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const main = page.querySelector('main.play');
  return main === null ? undefined : { main, title: page.title, url: response.url };
};

const showPage = ({ main, title, url }) => {
  const previous = findMain();
  const focused = document.activeElement;
  const hadFocus = previous.contains(focused);
  const hadKeys = hasKeys(previous);
  const hints = countHints(previous);
  previous.replaceWith(main);
  document.title = title;
  history.replaceState(null, '', url);
  showCopyButton();
  const round = document.getElementById('round');
  if (hasKeys(main) !== hadKeys) {
    // A round has started or ended.
    round.scrollIntoView();
    round.focus({ preventScroll: true });
  } else if (hadFocus) {
    (findSame(main, focused) ?? round).focus({ preventScroll: true });
  }
  announce(main, countHints(main) > hints);
};

const hasKeys = (main) => main.querySelector('.keys') !== null;

const countHints = (main) => main.querySelectorAll('.hints li').length;

/** Finds the field or the button that had the focus. Of the keys, it is the next one that can be pressed. */
const findSame = (main, { localName, name, value }) => {
  if (!name) return undefined;
  const all = [...main.querySelectorAll(`${localName}[name="${name}"]`)];
  const index = all.findIndex((element) => localName === 'input' || element.value === value);
  return index < 0
    ? undefined
    : [...all.slice(index), ...all.slice(0, index)].find((element) => !element.disabled);
};

/** Tells screen readers what has changed. */
const announce = (main, hasNewHint) => {
  const letters = [...main.querySelectorAll('.mask li')].map(({ textContent }) =>
    textContent === '_' ? status.dataset.gap : textContent,
  );
  const changed = `.message, .outcome > *, .tries${hasNewHint ? ', .hints li:last-child' : ''}`;
  const texts = [...main.querySelectorAll(changed)].map(({ innerText }) => innerText);
  status.textContent = [...texts, letters.join(' ')].join('\n');
};

document.addEventListener('keydown', (event) => {
  const { key, target, ctrlKey, altKey, metaKey, repeat, isComposing } = event;
  if (ctrlKey || altKey || metaKey || repeat || isComposing || !/^[a-z]$/i.test(key)) return;
  if (target.closest('input, select, textarea')) return;
  findMain().querySelector(`button[name="guess"][value="${key.toLowerCase()}"]:enabled`)?.click();
});

const showCopyButton = () => {
  const button = document.querySelector('.copy');
  if (button === null || navigator.clipboard === undefined) return;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector('pre').textContent);
    const [label, done] = button.children;
    label.hidden = true;
    done.hidden = false;
    status.textContent = done.textContent;
  });
};

showCopyButton();
