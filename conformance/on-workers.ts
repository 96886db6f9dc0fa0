/** Sets up the tests against a Worker with static assets. */
import type { TestProject } from 'vitest/node';
import { startOn } from './running-system.ts';

export const setup = (project: TestProject): Promise<() => Promise<void>> => startOn('workers', project);
