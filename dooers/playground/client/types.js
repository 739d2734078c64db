/** The objects of the protocol, as types. A newer server may send further members, types and statuses. */

/** @typedef {{id?: string, type?: string, payload?: any}} Frame */

/**
 * @typedef {object} User
 * @property {string} user_id
 * @property {string} [user_name]
 * @property {string} [user_email]
 * @property {string[]} [identity_ids]
 * @property {string} [system_role]
 * @property {string} [organization_role]
 * @property {string} [workspace_role]
 */

/** @typedef {{worker_id: string, organization_id: string, workspace_id: string, user: User}} Identity */

/**
 * @typedef {object} Thread
 * @property {string} id
 * @property {User} [owner]
 * @property {User[]} [users]
 * @property {number} [users_total]
 * @property {string | null} [title]
 * @property {Record<string, any> | null} [metadata]
 * @property {string} [created_at]
 * @property {string} [updated_at]
 * @property {string} [last_event_at]
 */

/**
 * @typedef {object} TextPart
 * @property {"text"} type
 * @property {string} text
 */

/**
 * @typedef {object} ImagePart
 * @property {"image"} type
 * @property {string} [url]
 * @property {string} [mime_type]
 * @property {number} [width]
 * @property {number} [height]
 * @property {string} [alt]
 * @property {string} [filename]
 * @property {string} [ref_id]
 */

/**
 * @typedef {object} AudioPart
 * @property {"audio"} type
 * @property {string} [url]
 * @property {string} [mime_type]
 * @property {number} [duration]
 * @property {string} [filename]
 * @property {string} [ref_id]
 */

/**
 * @typedef {object} DocumentPart
 * @property {"document"} type
 * @property {string} [url]
 * @property {string} [filename]
 * @property {string} [mime_type]
 * @property {number} [size_bytes]
 * @property {string} [ref_id]
 */

/** @typedef {TextPart | ImagePart | AudioPart | DocumentPart} ContentPart */

/**
 * @typedef {object} ThreadEvent
 * @property {string} id
 * @property {string} [thread_id]
 * @property {string | null} [run_id]
 * @property {string} type `message`, `reasoning`, `tool.call`, `form` …
 * @property {string} actor `user`, `assistant`, `system` or `tool`
 * @property {string | null} [author]
 * @property {User} [user]
 * @property {ContentPart[]} [content]
 * @property {any} [data]
 * @property {string} [created_at]
 * @property {boolean} [streaming]
 * @property {boolean} [finalized]
 * @property {number} [delta_seq] the number of the next delta, while `streaming`
 * @property {boolean} [deleted]
 * @property {string} [client_event_id]
 * @property {number} seq
 */

/** @typedef {{amount: string, currency: string}} Cost */

/**
 * @typedef {object} Usage
 * @property {string} model
 * @property {number} input_tokens
 * @property {number} output_tokens
 * @property {number} cached_tokens
 * @property {Cost[]} [costs]
 */

/**
 * @typedef {object} Run
 * @property {string} id
 * @property {string} [thread_id]
 * @property {string} [event_id] the user event that the run answers
 * @property {string | null} [agent_id] the name of the agent
 * @property {string} status `running`, `succeeded`, `failed` or `canceled`
 * @property {string} [started_at]
 * @property {string | null} [ended_at]
 * @property {string | null} [error]
 * @property {Usage[]} [usage]
 */

/**
 * A page of older events: the answer to `event.list`.
 *
 * @typedef {object} EventPage
 * @property {string} thread_id
 * @property {ThreadEvent[]} events the oldest first
 * @property {Run[]} [runs] the runs that the events name or that answer them; earlier servers do not send them
 * @property {string | null} cursor the `before_event_id` for the next older page
 * @property {boolean} has_more
 */

/**
 * @typedef {object} SettingsField
 * @property {string} id
 * @property {string} label
 * @property {string} type `text`, `number`, `select`, `checkbox`, `textarea`, `password`, `email`, `date` or `image`
 * @property {boolean} [required]
 * @property {boolean} [readonly]
 * @property {any} [value]
 * @property {string | null} [placeholder]
 * @property {{value: string, label: string}[] | null} [options]
 * @property {number | null} [min]
 * @property {number | null} [max]
 * @property {number | null} [rows]
 * @property {string | null} [src]
 * @property {number | string | null} [width]
 * @property {number | string | null} [height]
 * @property {string} [visibility]
 * @property {boolean} [user_editable]
 * @property {string} [description]
 * @property {number} [step]
 * @property {number} [min_length]
 * @property {number} [max_length]
 * @property {string} [pattern]
 * @property {string} [format]
 * @property {boolean} [has_value] for a password: whether a value is set
 */

/**
 * @typedef {object} SettingsFieldGroup
 * @property {string} id
 * @property {string} label
 * @property {SettingsField[]} fields
 * @property {"open" | "closed" | null} [collapsible]
 * @property {string} [visibility]
 * @property {string} [description]
 */

/**
 * @typedef {object} AnalyticsEvent
 * @property {string} event
 * @property {string} timestamp
 * @property {string} [worker_id]
 * @property {string} [agent_id]
 * @property {string | null} thread_id
 * @property {string | null} user_id
 * @property {string | null} run_id
 * @property {string | null} event_id
 * @property {any} data
 * @property {number} [dropped] the number of events that were lost right before this one
 */

/**
 * The state of a client.
 *
 * @typedef {object} ClientState
 * @property {"stopped" | "connecting" | "connected" | "waiting" | "refused"} phase
 * @property {number} [retryAt] when a waiting client connects again, in milliseconds since 1970
 * @property {Error} [error] why the client waits or was refused
 * @property {{name?: string, version?: string, capabilities?: string[]}} [server] the server, since the first connection
 */

/** @typedef {{direction: "in" | "out", at: number, text: string, frame: Frame | null}} FrameRecord */

/**
 * A message that is not yet stored by the server.
 *
 * @typedef {object} OutgoingMessage
 * @property {string} client_event_id
 * @property {{type: string, content: ContentPart[], data?: any}} event
 * @property {Record<string, any>} [metadata] metadata of the thread, if the message creates one
 * @property {string} created_at
 * @property {"sending" | "failed"} status
 * @property {Error} [error] why the message failed
 * @property {string} conversation the id of the conversation in which it was written
 * @property {string | null} thread_id null until the thread exists
 */

export {};
