/** Sets up the tests against a Pages project with Functions. */
import type { TestProject } from 'vitest/node';
import { startSystemOn } from './running-system.ts';

export const setup = (project: TestProject): Promise<() => Promise<void>> => startSystemOn('pages', project);
