/** Files of the workspace. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root directory of the workspace. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The directory of what cargo and the tests write. */
export const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");

/** The directory of the installed packages, which is below target/. */
export const modules = dirname(dirname(createRequire(import.meta.url).resolve("playwright-core/package.json")));

/**
 * Reads a text file of the workspace.
 *
 * @param {string} path relative to the root
 */
export function read(path) {
  return readFile(join(root, path), "utf8");
}

/**
 * Reads a text file of an installed package.
 *
 * @param {string} path such as "axe-core/axe.min.js"
 */
export function readPackage(path) {
  return readFile(join(modules, path), "utf8");
}

/**
 * Returns the only code block in JavaScript of a Markdown text.
 *
 * @param {string} markdown
 */
export function snippet(markdown) {
  const blocks = [...markdown.matchAll(/^```js\n(.*?)^```$/gms)];
  if (blocks.length !== 1) throw new Error(`there are ${blocks.length} code blocks in JavaScript, not 1`);
  return blocks[0][1];
}
