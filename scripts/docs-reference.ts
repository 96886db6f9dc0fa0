/**
 * `npm run docs:reference`: generates the API reference and the page of options from the docstrings of the
 * packages, and the page of environment variables and `apps/words/.dev.vars.example` from
 * `scripts/environment`.
 */
import { writeGeneratedFiles } from './docs/generated-files.ts';

const isComplete = await writeGeneratedFiles('.');
if (!isComplete) process.exitCode = 1;
