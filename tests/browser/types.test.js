/** The types in the comments of the playground, checked by TypeScript. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { modules, root } from "./workspace.js";

test("types of the playground are consistent", { timeout: 60_000 }, async () => {
  // The configuration finds the packages below `target`. They are elsewhere if CARGO_TARGET_DIR is set.
  const config = join(dirname(modules), "tsconfig.json");
  const paths = { "*": [join(modules, "*"), join(modules, "@types/*")] };
  const content = { extends: join(root, "tests/browser/tsconfig.json"), compilerOptions: { paths } };
  await writeFile(config, JSON.stringify(content));
  const tsc = join(modules, "typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "--project", config], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});
