/** The client of the playground, in a page, against servers of the examples. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startChromium } from "./chromium.js";
import { accept, openClient, refuse, upTo } from "./client-page.js";
import { startServer } from "./server.js";
import { unknownFrames } from "./unknown-frames.js";

// Ends the tests if a browser or server hangs.
setTimeout(() => process.exit(1), 100_000).unref();

let browser, load, streaming, settings, limited;

before(async () => {
  const inMemory = { WORKER_DATABASE_TYPE: "memory" };
  const quotas = { WORKER_QUOTA_MESSAGES_PER_MINUTE: "300", WORKER_QUOTA_MESSAGE_BURST: "1" };
  [load, streaming, settings, limited, browser] = await Promise.all([
    startServer("example-load", inMemory),
    startServer("example-streaming", inMemory),
    startServer("example-settings", { ...inMemory, RUST_LOG: "error" }),
    startServer("example-echo", { ...inMemory, ...quotas }),
    // Chromium does not know the address of a page that the test serves, and treats it as one from the internet.
    startChromium(["--disable-features=LocalNetworkAccessChecks"]),
  ]);
}, { timeout: 30_000 });

after(async () => {
  try {
    await browser?.close();
  } finally {
    await Promise.all([load, streaming, settings, limited].map((server) => server?.stop()));
  }
}, { timeout: 15_000 });

/** Opens a page of a server with the client. `onSocket` may sit between them. */
const open = (host, onSocket) => openClient(browser, host, onSocket);

const limit = { timeout: 20_000 };

test("deltas join to the final text", limit, async () => {
  const page = await open(streaming.host);
  const { answer, joined, shown, seqs } = await page.evaluate(async () => {
    create().start();
    let joined = "", answerId = null;
    client.addEventListener("frame", ({ detail: { direction, frame } }) => {
      if (direction !== "in") return;
      const [event] = frame.payload.events ?? [];
      if (event?.actor === "assistant" && event.type === "message" && event.streaming && !answerId) {
        answerId = event.id;
        joined = event.content[0].text;
      }
      if (frame.type === "event.delta" && frame.payload.event_id === answerId) joined += frame.payload.text;
    });
    const conversation = client.open(null);
    const shown = new Set();
    conversation.addEventListener("change", () => shown.add(texts(conversation, "assistant").at(-1) ?? ""));
    conversation.send("hello");
    await settled(conversation);
    return { answer: texts(conversation, "assistant"), joined, shown: [...shown], seqs: seqs(conversation) };
  });
  assert.deepEqual(answer, ["You said: hello. That reminds me of a long story."]);
  assert.equal(joined, answer[0]);
  assert.ok(shown.length > 3, `${shown.length} states were shown`);
  for (const [index, text] of shown.entries()) {
    assert.ok(answer[0].startsWith(text) && text.length >= (shown[index - 1]?.length ?? 0));
  }
  assert.deepEqual(seqs, upTo(seqs.length));
});

test("reload in mid-stream continues the text", limit, async () => {
  const page = await open(streaming.host);
  const words = upTo(40).join(" ");
  const thread = await page.evaluate(async (words) => {
    create().start();
    const conversation = client.open(null);
    conversation.send(words);
    await until(conversation, "change", () => texts(conversation, "assistant").at(-1)?.includes("said: 1"));
    return conversation.threadId;
  }, words);
  await page.reload();
  const { answers, before, seqs } = await page.evaluate(async (thread) => {
    create().start();
    const conversation = client.open(thread);
    await until(conversation, "change", () => conversation.state === "open");
    const before = texts(conversation, "assistant").at(-1);
    await settled(conversation);
    return { answers: texts(conversation, "assistant"), before, seqs: seqs(conversation) };
  }, thread);
  assert.deepEqual(answers, [`You said: ${words}. That reminds me of a long story.`]);
  assert.ok(before.length < answers[0].length);
  assert.deepEqual(seqs, upTo(seqs.length));
});

test("message of a killed server is stored once", limit, async () => {
  const directory = await mkdtemp(join(tmpdir(), "dooers-browser-"));
  const variables = { WORKER_DATABASE_NAME: join(directory, "worker.db") };
  const killed = await startServer("example-echo", variables);
  const page = await open(killed.host);
  const thread = await page.evaluate(async () => {
    create().start();
    const conversation = (globalThis.conversation = client.open(null));
    conversation.send("first");
    await settled(conversation);
    conversation.send("in flight");
    return conversation.threadId;
  });
  await killed.kill();
  await page.evaluate(async () => {
    await until(client, "state", () => client.state.phase === "waiting");
    conversation.send("offline");
  });
  await page.reload();
  const server = await startServer("example-echo", { ...variables, WORKER_BIND: killed.host });
  try {
    const said = await page.evaluate(async (thread) => {
      create().start();
      const conversation = client.open(thread);
      await until(conversation, "change", () => texts(conversation, "assistant").includes("You said: offline"));
      return { texts: texts(conversation, "user"), kept: localStorage.length, outbox: conversation.outbox.length };
    }, thread);
    assert.deepEqual(said, { texts: ["first", "in flight", "offline"], kept: 0, outbox: 0 });
  } finally {
    await server.stop();
    await rm(directory, { recursive: true });
  }
});

test("dropped socket resumes without gap or duplicate", limit, async () => {
  let sockets = 0;
  const page = await open(load.host, (socket) => {
    sockets += 1;
    let rest = sockets === 1 ? 20 : Infinity;
    let isClosed = false;
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const { type, payload } = JSON.parse(text);
      if (type === "event.append") rest -= payload.events.length;
      if (rest >= 0) return socket.send(text);
      if (!isClosed) socket.close({ code: 1001 });
      isClosed = true;
    });
  });
  const { answers, seqs } = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    conversation.send("stream 150");
    // The snapshot shows the run as ended before the later events arrive.
    await until(conversation, "change", () => conversation.events.at(-1)?.seq >= 151);
    return { answers: texts(conversation, "assistant"), seqs: seqs(conversation) };
  });
  assert.equal(sockets, 2);
  assert.deepEqual(answers, upTo(150).map((number) => `text ${number - 1}`));
  assert.deepEqual(seqs, upTo(151));
});

test("two quick first messages share a thread", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create({}, "two-quick").start();
    const known = (await client.listThreads()).total_count;
    const conversation = client.open(null);
    conversation.send("a");
    conversation.send("b");
    await until(conversation, "change", () => texts(conversation, "assistant").length === 2);
    return { said: texts(conversation, "user"), created: (await client.listThreads()).total_count - known };
  });
  assert.deepEqual(result, { said: ["a", "b"], created: 1 });
});

test("first messages share a thread after a reload", limit, async () => {
  const page = await open(load.host);
  await page.evaluate(() => {
    const conversation = create().open(null);
    conversation.send("a");
    conversation.send("b");
  });
  await page.reload();
  const result = await page.evaluate(async () => {
    const conversation = create().open(null);
    const other = client.open(null);
    const waiting = [conversation, other].map(({ outbox }) => outbox.length);
    client.start();
    await until(conversation, "change", () => texts(conversation, "assistant").length === 2);
    return { waiting, said: texts(conversation, "user"), other: other.threadId };
  });
  assert.deepEqual(result, { waiting: [2, 0], said: ["a", "b"], other: null });
});

test("refused message fails, and can be sent again", limit, async () => {
  const ids = [];
  const page = await open(load.host, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { type, payload } = JSON.parse(text);
      if (type === "event.create") ids.push(payload.client_event_id);
      const isFirst = ids.length === 1 && type === "event.create";
      if (isFirst) refuse(socket, text, { code: "INTERNAL_ERROR", message: "broken (error 7)" });
      else server.send(text);
    });
  });
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    const { client_event_id } = conversation.send("hello");
    await until(conversation, "change", () => conversation.outbox[0].status === "failed");
    const { message, code } = conversation.outbox[0].error;
    // A conversation that is opened later shows the message.
    conversation.close();
    const again = client.open(null);
    again.retry(client_event_id);
    await settled(again);
    const blank = again.send(" ");
    await until(again, "change", () => blank.status === "failed");
    again.discard(blank.client_event_id);
    const { outbox } = again;
    return { message, code, said: texts(again, "user"), blank: blank.error.code, outbox, kept: localStorage.length };
  });
  assert.deepEqual(result, {
    message: "broken (error 7)",
    code: "INTERNAL_ERROR",
    said: ["hello"],
    blank: "INVALID_PAYLOAD",
    outbox: [],
    kept: 0,
  });
  assert.equal(ids[0], ids[1]);
});

test("unknown frames are ignored", limit, async () => {
  const page = await open(load.host, (socket) => {
    socket.onMessage((text) => {
      const { id, type } = JSON.parse(text);
      const event = (seq) => ({ id: `${seq}`, seq, type: "message", actor: "user", content: [] });
      if (type !== "thread.subscribe") return accept(socket, text);
      const payload = { thread: { id: "T" }, events: [event(1), event(2)], runs: [null, {}], feedback: [null, {}] };
      socket.send(JSON.stringify({ id, type: "thread.snapshot", payload }));
      for (const frame of unknownFrames) socket.send(frame);
      socket.send(JSON.stringify({ type: "thread.upsert", payload: { thread: { id: "T", title: "after" } } }));
    });
  });
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open("T");
    const settings = client.settings();
    client.analytics();
    await until(conversation, "change", () => conversation.thread?.title === "after");
    const types = conversation.events.map(({ type }) => type);
    const counts = { running: conversation.running.length, fields: settings.fields.length };
    return { phase: client.state.phase, types, ...counts };
  });
  assert.deepEqual(result, { phase: "connected", types: ["message", "message", "hologram"], running: 0, fields: 2 });
  assert.deepEqual(page.errors, []);
});

test("list follows deltas, appends and snapshots", limit, async () => {
  const event = (seq, more) => ({ id: `e${seq}`, seq, type: "message", actor: "assistant", content: [], ...more });
  const streamed = (text, delta_seq) => event(2, { streaming: true, delta_seq, content: [{ type: "text", text }] });
  const delta = (delta_seq, text) => ({ type: "event.delta", payload: { thread_id: "T", event_id: "e2", delta_seq, text } });
  const append = (...events) => ({ type: "event.append", payload: { thread_id: "T", events } });
  const snapshot = (payload) => ({ type: "thread.snapshot", payload: { thread: { id: "T" }, runs: [], ...payload } });
  const answers = [
    [
      snapshot({ events: [event(1), streamed("abc", 3)], recovered: false }),
      delta(4, "X"), delta(3, "d"), delta(3, "X"), delta(5, "X"), append(streamed("abcde", 9)), delta(8, "X"), delta(9, "f"),
      append(event(3)),
    ],
    // A gap before `e10`, and an event before the list.
    [snapshot({ events: [event(7), event(8)], recovered: false, has_more: true }), append(event(4)), append(event(10), event(11))],
    [snapshot({ events: [event(8, { author: "edited" }), event(9), event(10), event(11)], recovered: true, has_more: true })],
  ];
  const after = [];
  let socket;
  const page = await open(load.host, (opened) => {
    socket = opened;
    socket.onMessage((text) => {
      const { type, payload } = JSON.parse(text);
      if (type !== "thread.subscribe") return accept(opened, text);
      after.push(payload.after_event_id);
      for (const frame of answers[after.length - 1]) opened.send(JSON.stringify(frame));
    });
  });
  const text = await page.evaluate(async () => {
    create().start();
    globalThis.conversation = client.open("T");
    await until(conversation, "change", () => conversation.events.length === 3);
    globalThis.lost = until(client, "state", () => client.state.phase === "waiting");
    return conversation.events[1].content[0].text;
  });
  assert.equal(text, "abcdef");
  await socket.close({ code: 1001 });
  const result = await page.evaluate(async () => {
    await lost;
    client.reconnect();
    await until(conversation, "change", () => conversation.events.at(-1)?.seq === 11);
    return { seqs: seqs(conversation), author: conversation.events[1].author, hasMore: conversation.hasMore };
  });
  assert.deepEqual(result, { seqs: [7, 8, 9, 10, 11], author: "edited", hasMore: true });
  assert.deepEqual(after, [undefined, "e3", "e8"]);
});

test("older pages precede the list", limit, async () => {
  const page = await open(load.host);
  const { opened, loaded } = await page.evaluate(async () => {
    create().start();
    const first = client.open(null);
    first.send("burst 250");
    await settled(first);
    const conversation = client.open(first.threadId);
    await until(conversation, "change", () => conversation.state === "open");
    const opened = { seqs: seqs(conversation), hasMore: conversation.hasMore };
    while (conversation.hasMore) await Promise.all([conversation.loadOlder(), conversation.loadOlder()]);
    return { opened, loaded: seqs(conversation) };
  });
  assert.deepEqual(opened, { seqs: upTo(251).slice(-100), hasMore: true });
  assert.deepEqual(loaded, upTo(251));
});

test("refused setting has the sentence of the server", limit, async () => {
  const page = await open(settings.host);
  const result = await page.evaluate(async () => {
    const [one, other] = [create(), create()];
    one.start();
    other.start();
    const settings = one.settings();
    const live = other.settings("creator");
    const value = (view, id) => view.fields.flatMap((field) => field.fields ?? [field]).find((field) => field.id === id)?.value;
    await until(settings, "change", () => settings.state === "open");
    await until(live, "change", () => live.state === "open");
    const refused = await settings.patch("temperature", 9).catch(({ code, message }) => ({ code, message }));
    await settings.patch("name", "Grace");
    await until(live, "change", () => value(live, "name") === "Grace");
    const budget = [settings, live].map((view) => value(view, "daily_budget"));
    settings.close();
    return { refused, shown: value(settings, "temperature"), name: value(settings, "name"), budget };
  });
  assert.equal(result.refused.code, "INVALID_VALUE");
  assert.match(result.refused.message, /temperature.*2/s);
  assert.equal(result.shown, 0.7);
  assert.deepEqual(result.budget, [undefined, 500]);
});

test("rate limited message is sent again by the client", limit, async () => {
  const page = await open(limited.host);
  const { said, refusals } = await page.evaluate(async () => {
    create().start();
    let refusals = 0;
    client.addEventListener("frame", ({ detail: { frame } }) => {
      if (frame.payload.error?.code === "RATE_LIMITED") refusals += 1;
    });
    const conversation = client.open(null);
    for (const text of ["a", "b", "c"]) conversation.send(text);
    await until(conversation, "change", () => texts(conversation, "assistant").length === 3);
    return { said: texts(conversation, "user"), refusals };
  });
  assert.deepEqual(said, ["a", "b", "c"]);
  assert.ok(refusals >= 1);
});

test("message above the size limit fails alone", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    conversation.send("before");
    await settled(conversation);
    const large = conversation.send("x".repeat(700_000));
    const after = conversation.send("after");
    await until(conversation, "change", () => large.status === "failed");
    client.reconnect();
    await until(conversation, "change", () => !conversation.outbox.includes(after));
    return { code: large.error.code, said: texts(conversation, "user"), outbox: conversation.outbox.length };
  });
  assert.deepEqual(result, { code: "TOO_LARGE", said: ["before", "after"], outbox: 1 });
});

test("half a surrogate pair does not stop a message", limit, async () => {
  const page = await open(load.host);
  const said = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    conversation.send("cut \ud83d, whole \u{1f600}, text \\ud83d \\\ud83d");
    await settled(conversation);
    return texts(conversation, "user");
  });
  assert.deepEqual(said, ["cut \ufffd, whole \u{1f600}, text \\ud83d \\\ufffd"]);
});

test("two conversations with one thread stay equal", limit, async () => {
  const page = await open(streaming.host);
  const result = await page.evaluate(async () => {
    create().start();
    const one = client.open(null);
    one.send("hello");
    await until(one, "change", () => one.events.some(({ streaming }) => streaming));
    const other = client.open(one.threadId);
    await until(other, "change", () => other.state === "open");
    await Promise.all([settled(one), settled(other)]);
    other.close();
    one.send("again");
    await until(one, "change", () => texts(one, "assistant").length === 2 && one.running.length === 0);
    const [seen, expected] = [other.events, one.events.slice(0, other.events.length)].map((events) => JSON.stringify(events));
    return { equal: seen === expected, answers: texts(one, "assistant") };
  });
  assert.equal(result.equal, true);
  assert.match(result.answers[1], /^You said: again\. .*story\.$/);
});

test("raw frames do not take the answers of requests", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create().start();
    const first = client.open(null);
    first.send("a");
    const second = client.open(null);
    second.send("b");
    await Promise.all([settled(first), settled(second)]);
    client.sendRaw(JSON.stringify({ id: "raw", type: "thread.list", payload: { limit: 1 } }));
    const { threads } = await client.listThreads({ limit: 2 });
    client.sendRaw("not JSON");
    // The new identity ends the subscriptions, which the client begins again.
    const identity = { worker_id: "w1", organization_id: "o1", workspace_id: "s1", user: { user_id: "ada" } };
    const resync = new Promise((resolve) => client.addEventListener("resync", resolve));
    client.sendRaw(JSON.stringify({ id: "c", type: "connect", payload: identity }));
    await resync;
    first.send("c");
    await until(first, "change", () => texts(first, "assistant").includes("You said: c"));
    return threads.length;
  });
  assert.equal(result, 2);
});

test("refused identity waits for a new token", limit, async () => {
  const tokens = [];
  const page = await open(load.host, (socket) => {
    socket.onMessage((text) => {
      const { type, payload } = JSON.parse(text);
      if (type === "connect") tokens.push(payload.auth_token);
      const isOld = type === "connect" && payload.auth_token === "old";
      if (isOld) refuse(socket, text, { code: "UNAUTHORIZED", message: "the token has expired" });
      else if (type === "thread.delete") socket.close({ code: 1008, reason: "revoked" });
      else accept(socket, text);
    });
  });
  const phases = await page.evaluate(async () => {
    create({ token: "old" }).start();
    const phases = [];
    client.addEventListener("state", ({ detail: { phase, error } }) => phases.push([phase, error?.message]));
    const lost = await client.request("ping").catch(({ message }) => message);
    client.renew("new");
    await until(client, "state", () => client.state.phase === "connected");
    await client.deleteThread("T").catch(({ name }) => phases.push(name));
    return [lost, ...phases, client.state.phase];
  });
  assert.deepEqual(phases, [
    "the token has expired",
    ["refused", "the token has expired"],
    ["connecting", undefined],
    ["connected", undefined],
    ["refused", "revoked"],
    "ConnectionLost",
    "refused",
  ]);
  assert.deepEqual(tokens, ["old", "new"]);
});

test("dead connection is noticed", limit, async () => {
  let sockets = 0;
  const pings = [];
  const page = await open(load.host, (socket) => {
    sockets += 1;
    const number = sockets;
    socket.onMessage((text) => {
      const { type } = JSON.parse(text);
      if (type === "connect") accept(socket, text);
      if (type === "ping") pings.push(number);
    });
  });
  await page.clock.install();
  const connected = () => page.evaluate(() => until(client, "state", () => client.state.phase === "connected"));
  await page.evaluate(() => create().start());
  await connected();
  await page.clock.runFor(24_000);
  assert.deepEqual(pings, []);
  await page.clock.runFor(2_000);
  await page.clock.runFor(7_000);
  assert.equal(await page.evaluate(() => client.state.phase), "connected");
  await page.clock.runFor(4_000);
  await connected();
  assert.deepEqual({ sockets, pings }, { sockets: 2, pings: [1] });
  // Its clock stands still.
  await page.close();
});

test("stored messages are never sent by another identity", limit, async () => {
  const page = await open(load.host);
  const waiting = await page.evaluate(async () => {
    create({ token: "secret-token" }).open(null).send("of ada");
    const passwords = create().open("T");
    passwords.send([], { type: "form.response", data: { form_event_id: "F", cancelled: false, values: { pin: "secret-pin" } } });
    const count = (options, user) => create(options, user).open(null).outbox.length;
    return {
      same: count({ token: "secret-token" }),
      user: count({ token: "secret-token" }, "bob"),
      token: count({ token: "other" }),
      anonymous: count({}),
      server: count({ token: "secret-token", url: "ws://127.0.0.1:1/ws" }),
      secrets: Object.entries(localStorage).filter((entry) => entry.join().includes("secret")).length,
    };
  });
  assert.deepEqual(waiting, { same: 1, user: 0, token: 0, anonymous: 0, server: 0, secrets: 0 });
});

test("message that another tab discards is not sent", limit, async () => {
  const page = await open(load.host);
  const said = await page.evaluate(async () => {
    const conversation = create().open(null);
    const discarded = conversation.send("discarded");
    conversation.send("kept");
    const other = create();
    const shown = other.open(null);
    conversation.discard(discarded.client_event_id);
    other.start();
    await settled(shown);
    return texts(shown, "user");
  });
  assert.deepEqual(said, ["kept"]);
});

test("message of a deleted thread fails", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    const [one, other] = [create(), create()];
    one.start();
    other.start();
    const conversation = one.open(null);
    conversation.send("hello");
    await settled(conversation);
    one.stop();
    const late = conversation.send("late");
    await other.deleteThread(conversation.threadId);
    one.start();
    await until(conversation, "change", () => late.status === "failed");
    return { code: late.error.code, state: conversation.state };
  });
  assert.deepEqual(result, { code: "NOT_FOUND", state: "missing" });
});

test("feedback is in the next snapshot", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    conversation.send("hello");
    await settled(conversation);
    const { id } = conversation.events[1];
    await client.feedback("event", id, "like", { reason: "short" });
    const shown = conversation.feedback.get(id);
    const again = client.open(conversation.threadId);
    await until(again, "change", () => again.state === "open");
    return { shown, again: again.feedback.get(id) };
  });
  assert.deepEqual(result, { shown: "like", again: "like" });
});

test("waiting messages are queued and can be withdrawn", limit, async () => {
  const page = await open(load.host);
  const result = await page.evaluate(async () => {
    create().start();
    const conversation = client.open(null);
    for (const text of ["sleep 5000", "second", "third"]) conversation.send(text);
    await until(conversation, "change", () => conversation.running.length === 1 && conversation.queued.length === 2);
    await client.cancel({ event_id: conversation.queued[0].id });
    await client.cancel({ run_id: conversation.running[0].id });
    await until(conversation, "change", () => [...conversation.runs.values()].some(({ status }) => status === "succeeded"));
    const statuses = Array.from(conversation.runs.values(), ({ status }) => status);
    return { said: texts(conversation, "assistant"), statuses: statuses.sort() };
  });
  assert.deepEqual(result, { said: ["You said: third"], statuses: ["canceled", "canceled", "succeeded"] });
});
