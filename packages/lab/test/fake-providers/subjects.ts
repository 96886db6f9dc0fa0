/** A program: signs everybody in at every fake provider, in a process of its own, and prints their keys as JSON. */
import { collectSubjects, providerNames } from './visit.ts';

const found: (readonly string[])[] = [];
for (const name of providerNames) found.push(await collectSubjects(name));
console.log(JSON.stringify(found));
