/** The vendored libraries of the playground, compared with the packages of the lock file. */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { modules, read } from "./workspace.js";

const vendor = "dooers/playground/vendor";

/** The modules of the packages, by their vendored files. */
const originals = {
  "preact.js": "preact/dist/preact.mjs",
  "hooks.js": "preact/hooks/dist/hooks.mjs",
  "htm.js": "htm/dist/htm.mjs",
  "signals.js": "@preact/signals-core/dist/signals-core.mjs",
  "marked.js": "marked/lib/marked.esm.js",
  "purify.js": "dompurify/dist/purify.es.mjs",
};

/** The licences of the packages, by their vendored files. */
const licences = {
  "preact.LICENSE.txt": "preact/LICENSE",
  "htm.LICENSE.txt": "htm/LICENSE",
  "signals.LICENSE.txt": "@preact/signals-core/LICENSE",
  "marked.LICENSE.txt": "marked/LICENSE",
  "purify.LICENSE.txt": "dompurify/LICENSE",
};

const installed = (path) => readFile(join(modules, path), "utf8");

for (const [file, original] of Object.entries(originals)) {
  test(`${file} is the module of its package`, async () => {
    const content = (await installed(original))
      .replace(/^\/\/# sourceMappingURL=.*\n?/m, "")
      .replace(/from"preact"/, 'from"./preact.js"');
    assert.ok(content === (await read(`${vendor}/${file}`)), `${file} differs from ${original}`);
  });
}

for (const [file, original] of Object.entries(licences)) {
  test(`${file} is the licence of its package`, async () => {
    assert.equal(await read(`${vendor}/${file}`), await installed(original));
  });
}

test("vendored files have the versions of the lock file", async () => {
  const readme = await read(`${vendor}/README.md`);
  const rows = [...readme.matchAll(/^\| (`[^|]+) \| `([^`]+)` \| (\S+) \|/gm)];
  const listed = rows.flatMap(([, files]) => files.split(", ").map((file) => file.replaceAll("`", "")));
  assert.deepEqual(listed.sort(), Object.keys(originals).sort());
  for (const [, , name, version] of rows) {
    assert.equal(version, JSON.parse(await installed(`${name}/package.json`)).version, name);
  }
  const present = await readdir(new URL(`../../${vendor}`, import.meta.url));
  const declarations = Object.keys(originals).map((file) => file.replace(/js$/, "d.ts"));
  const known = ["README.md", ...Object.keys(originals), ...Object.keys(licences), ...declarations];
  assert.deepEqual(present.sort(), known.sort());
});
