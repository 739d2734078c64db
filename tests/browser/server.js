/** Servers of the workspace, started as child processes. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { target } from "./workspace.js";

/** The directory of the built programs. */
const programs = join(target, "debug");

/** Variables of the environment that would change the configuration of a server. */
const ofServers = /^(WORKER_|DATABASE_URL$|PG|RUST_LOG$)/;

/**
 * Starts a built program on a free loopback port, in a new working directory.
 *
 * @param {string} name the name of the program, such as `example-echo`
 * @param {Record<string, string>} variables variables of its environment
 * @returns {Promise<{host: string, stop: () => Promise<void>, kill: () => Promise<void>}>} its address with the port, a
 *   function that stops it with SIGTERM and fails if it does not end with the exit code 0, and one that kills it
 */
export async function startServer(name, variables = {}) {
  const directory = await mkdtemp(join(tmpdir(), "dooers-browser-"));
  const inherited = Object.entries(process.env).filter(([name]) => !ofServers.test(name));
  const child = spawn(join(programs, name), {
    cwd: directory,
    env: { ...Object.fromEntries(inherited), WORKER_BIND: "127.0.0.1:0", ...variables },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const code = await ended;
    clearTimeout(late);
    await rm(directory, { recursive: true });
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(directory, { recursive: true });
  };
  const host = new Promise((resolve) => {
    createInterface(child.stdout).on("line", (line) => {
      const address = /^ *ws:\/\/([^/]+)\//.exec(line);
      if (address) resolve(address[1]);
    });
  });
  // A server that prints nothing, or a test that crashes, leaves no process behind.
  const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
  process.once("exit", () => child.kill("SIGKILL"));
  const first = await Promise.race([host, ended.then((code) => ({ code }))]);
  clearTimeout(late);
  if (typeof first === "string") return { host: first, stop, kill };
  await rm(directory, { recursive: true });
  throw new Error(`${name} ended with ${first.code} before it printed its address`);
}
