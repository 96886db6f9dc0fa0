/** Sets up the tests against a Worker with static assets. */
import type { TestProject } from 'vitest/node';
import { startSystemOn } from './running-system.ts';

export const setup = (project: TestProject): Promise<() => Promise<void>> =>
  startSystemOn('workers', project);
