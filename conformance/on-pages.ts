/** Sets up the tests against a Pages project with Functions. */
import type { TestProject } from 'vitest/node';
import { startOn } from './running-system.ts';

export const setup = (project: TestProject): Promise<() => Promise<void>> => startOn('pages', project);
