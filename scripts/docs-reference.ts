/**
 * `npm run docs:reference`: generates the API reference and the page of options from the docstrings of the
 * packages, the page of environment variables and `apps/words/.dev.vars.example` from
 * `scripts/environment`, and `llms.txt` from the index of the pages.
 */
import { writeGeneratedFiles } from './docs/generated-files.ts';

const isComplete = await writeGeneratedFiles('.');
if (!isComplete) process.exitCode = 1;
