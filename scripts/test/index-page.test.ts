import { expect, it } from 'vitest';
import { parseIndex } from '../docs/index-page.ts';

const markdown = `# Documentation

All pages.

## Guides

| I want to … | Page |
|---|---|
| connect \`ChatGPT\` | [Connect ChatGPT](guides/chatgpt.md) |
| deploy it | [Deploy](guides/deploy.md), [the rules](../deploy/waf/README.md) |

## Reference

| Page | Contents |
|---|---|
| [API](reference/api/README.md) | every export |
`;

it('reads the sections, the groups and the pages of the index', () => {
  const deploy = { description: 'deploy it' };
  expect(parseIndex(markdown)).toEqual([
    {
      title: 'Guides',
      groups: [
        {
          title: 'I want to …',
          pages: [
            { title: 'Connect ChatGPT', path: 'docs/guides/chatgpt.md', description: 'connect ChatGPT' },
            { title: 'Deploy', path: 'docs/guides/deploy.md', ...deploy },
            { title: 'the rules', path: 'deploy/waf/README.md', ...deploy },
          ],
        },
      ],
    },
    {
      title: 'Reference',
      groups: [
        {
          title: '',
          pages: [{ title: 'API', path: 'docs/reference/api/README.md', description: 'every export' }],
        },
      ],
    },
  ]);
});

it('returns no sections for a page without any', () => {
  expect(parseIndex('# Documentation\n\nAll pages.\n')).toEqual([]);
});
