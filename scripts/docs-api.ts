/** `npm run docs:api`: generates the API reference in docs/reference/api from the docstrings of the packages. */
import { referenceFolder } from './api-reference/pages.ts';
import { readReference } from './api-reference/reference.ts';

const reference = await readReference();
await reference.write(referenceFolder);
if (!reference.isComplete) process.exitCode = 1;
