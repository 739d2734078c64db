/** A client of a page, with the rules of the published React client. */

/**
 * Opens a client in the page that evaluates this function. It sends `connect` when a socket opens, and lists the threads when
 * it is accepted. It opens another socket when the server closes one, after 1, 2, 4, 8 and 16 seconds, at most five times in
 * total. A refusal of `connect` closes nothing.
 *
 * The published client cannot be installed for a test. This one sends the same members in the same order.
 *
 * @param {{url: string, authToken?: string, userId?: string, organizationId?: string}} config
 * @returns {{status: string, error?: object, sockets: WebSocket[], closes: number[], frames: object[],
 *   send: (type: string, payload: object) => void}} `frames` has the frames of all sockets, and `closes` their close codes
 */
export function openClient(config) {
  const delays = [1000, 2000, 4000, 8000, 16000];
  const client = { status: "connecting", sockets: [], closes: [], frames: [] };
  let connectId;
  client.send = (type, payload) => {
    const id = crypto.randomUUID();
    client.sockets.at(-1).send(JSON.stringify({ id, type, payload }));
    return id;
  };
  const received = (frame) => {
    client.frames.push(frame);
    if (frame.type !== "ack" || frame.payload.ack_id !== connectId) return;
    if (frame.payload.ok) {
      client.status = "connected";
      client.send("thread.list", {});
    } else {
      client.status = "error";
      client.error = frame.payload.error;
    }
  };
  const open = () => {
    const socket = new WebSocket(config.url);
    client.sockets.push(socket);
    socket.onopen = () => {
      connectId = client.send("connect", {
        worker_id: "w1",
        organization_id: config.organizationId ?? "",
        workspace_id: "",
        user: {
          user_id: config.userId ?? "",
          user_name: null,
          user_email: null,
          system_role: "user",
          organization_role: "member",
          workspace_role: "member",
        },
        // Left out of the JSON if there is none.
        auth_token: config.authToken,
        client: { name: "dooers-agents-client", version: "0.1.0" },
      });
    };
    socket.onmessage = ({ data }) => received(JSON.parse(data));
    socket.onclose = ({ code }) => {
      client.closes.push(code);
      const delay = delays.shift();
      client.status = delay ? "disconnected" : "error";
      if (delay) setTimeout(open, delay);
    };
  };
  open();
  return client;
}
