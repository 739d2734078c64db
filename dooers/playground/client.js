/** A client of the dooers protocol. Placeholder of the contract; replaced by the complete client. */

/** @typedef {{user_id: string, user_name?: string, user_email?: string, organization_role?: string}} User */

export class Conversation extends EventTarget {
  constructor() {
    super();
    this.threadId = /** @type {string | null} */ (null);
  }

  close() {}
}

export class Client extends EventTarget {
  /** @param {{url: string, identity: object, token?: string, storage?: Storage}} options */
  constructor(options) {
    super();
    this.options = options;
  }

  start() {}

  stop() {}

  /** @param {string | null} threadId */
  open(threadId) {
    const conversation = new Conversation();
    conversation.threadId = threadId;
    return conversation;
  }
}
