/** @import { Http } from "./http.js" */

const part = encodeURIComponent;

/**
 * The calls of the API, each named by what it does. What they take, answer and refuse stands in
 * docs/protocol/api.md; errors come as `Problem`.
 * @param {Http} http
 */
export function makeApi(http) {
  /** @type {(path: string, query?: Record<string, unknown>, signal?: AbortSignal) => Promise<any>} */
  const get = (path, query, signal) => http.request("GET", path, { query, signal });
  /** @type {(path: string, body?: unknown) => Promise<any>} */
  const post = (path, body) => http.request("POST", path, { body });
  /** @type {(path: string, body?: unknown) => Promise<any>} */
  const put = (path, body) => http.request("PUT", path, { body });
  /** @type {(path: string, body: unknown) => Promise<any>} */
  const patch = (path, body) => http.request("PATCH", path, { body });
  /** @type {(path: string) => Promise<any>} */
  const remove = (path) => http.request("DELETE", path);
  /** @type {(conversation: string, seq?: number) => string} */
  const messages = (conversation, seq) =>
    `/conversations/${part(conversation)}/messages${seq === undefined ? "" : `/${seq}`}`;

  return {
    http,

    server: () => get("/server"),
    register: (/** @type {{username: string, password: string, nickname?: string, invite?: string}} */ account) =>
      post("/users", account),
    signIn: (/** @type {{username: string, password: string, device: object}} */ who) => post("/sessions", who),
    /** Nobody waits for long to be signed out. */
    signOut: () => http.request("DELETE", "/sessions/current", { timeout: 10_000 }),
    sessions: () => get("/sessions"),
    endSession: (/** @type {string} */ id) => remove(`/sessions/${part(id)}`),

    me: () => get("/me"),
    changeMe: (/** @type {object} */ change) => patch("/me", change),
    changePassword: (/** @type {string} */ old_password, /** @type {string} */ new_password) =>
      put("/me/password", { old_password, new_password }),
    /** The answer itself, because it may be long. */
    exportMe: () => http.fetch("GET", "/me/export", { timeout: 3_600_000 }),
    user: (/** @type {string} */ id) => get(`/users/${part(id)}`),
    findUsers: (/** @type {string} */ query, /** @type {AbortSignal} */ signal) =>
      get("/users", { query, limit: 20 }, signal),
    presence: (/** @type {string[]} */ users) => get("/presence", { users: users.join(",") }),

    contacts: () => get("/contacts"),
    changeContact: (/** @type {string} */ id, /** @type {{remark?: string, list?: string}} */ change) =>
      patch(`/contacts/${part(id)}`, change),
    removeContact: (/** @type {string} */ id) => remove(`/contacts/${part(id)}`),
    requests: () => get("/contacts/requests"),
    requestContact: (/** @type {{user_id: string, note?: string, client_id?: string}} */ request) =>
      post("/contacts/requests", request),
    acceptRequest: (/** @type {string} */ id) => post(`/contacts/requests/${part(id)}/accept`),
    declineRequest: (/** @type {string} */ id) => post(`/contacts/requests/${part(id)}/decline`),
    withdrawRequest: (/** @type {string} */ id) => remove(`/contacts/requests/${part(id)}`),
    contactLists: () => get("/contact_lists"),
    addContactList: (/** @type {string} */ name) => post("/contact_lists", { name }),
    renameContactList: (/** @type {string} */ name, /** @type {string} */ to) =>
      patch(`/contact_lists/${part(name)}`, { name: to }),
    removeContactList: (/** @type {string} */ name) => remove(`/contact_lists/${part(name)}`),
    blocks: () => get("/blocks"),
    block: (/** @type {string} */ id) => put(`/blocks/${part(id)}`),
    unblock: (/** @type {string} */ id) => remove(`/blocks/${part(id)}`),

    createGroup: (/** @type {{name: string, member_ids?: string[], client_id?: string}} */ group) =>
      post("/groups", group),
    group: (/** @type {string} */ id) => get(`/groups/${part(id)}`),
    changeGroup: (/** @type {string} */ id, /** @type {object} */ change) => patch(`/groups/${part(id)}`, change),
    dissolveGroup: (/** @type {string} */ id) => remove(`/groups/${part(id)}`),
    transferGroup: (/** @type {string} */ id, /** @type {string} */ user_id) =>
      post(`/groups/${part(id)}/transfer`, { user_id }),
    joinGroup: (/** @type {string} */ id, /** @type {{note?: string, client_id?: string}} */ wish) =>
      post(`/groups/${part(id)}/join`, wish),
    joinRequests: (/** @type {string} */ id) => get(`/groups/${part(id)}/join_requests`),
    answerJoin: (/** @type {string} */ id, /** @type {string} */ user, /** @type {"accept" | "decline"} */ answer) =>
      post(`/groups/${part(id)}/join_requests/${part(user)}/${answer}`),
    members: (/** @type {string} */ id, /** @type {string | undefined} */ cursor) =>
      get(`/groups/${part(id)}/members`, { cursor, limit: 500 }),
    addMember: (/** @type {string} */ id, /** @type {string} */ user) => put(`/groups/${part(id)}/members/${part(user)}`),
    changeMember: (/** @type {string} */ id, /** @type {string} */ user, /** @type {object} */ change) =>
      patch(`/groups/${part(id)}/members/${part(user)}`, change),
    removeMember: (/** @type {string} */ id, /** @type {string} */ user) =>
      remove(`/groups/${part(id)}/members/${part(user)}`),

    conversations: (/** @type {{cursor?: string, hidden?: boolean}} */ { cursor, hidden }) =>
      get("/conversations", { cursor, hidden, limit: 200 }),
    conversation: (/** @type {string} */ id) => get(`/conversations/${part(id)}`),
    openConversation: (/** @type {{user_id: string} | {group_id: string}} */ withWhom) => post("/conversations", withWhom),
    changeConversation: (/** @type {string} */ id, /** @type {object} */ change) =>
      patch(`/conversations/${part(id)}`, change),
    /** With `keepalive` it goes on when the page is gone. */
    read: (/** @type {string} */ id, /** @type {number} */ seq, { keepalive = false } = {}) =>
      http.request("POST", `/conversations/${part(id)}/read`, { body: { seq }, keepalive }),

    send: (/** @type {string} */ conversation, /** @type {object} */ message) => post(messages(conversation), message),
    messages: (/** @type {string} */ conversation, /** @type {{before?: number, after?: number, limit?: number}} */ piece) =>
      get(messages(conversation), piece),
    message: (/** @type {string} */ conversation, /** @type {number} */ seq) => get(messages(conversation, seq)),
    edit: (/** @type {string} */ conversation, /** @type {number} */ seq, /** @type {object} */ edit) =>
      patch(messages(conversation, seq), edit),
    recall: (/** @type {string} */ conversation, /** @type {number} */ seq) => post(`${messages(conversation, seq)}/recall`),
    react: (/** @type {string} */ conversation, /** @type {number} */ seq, /** @type {string} */ emoji) =>
      put(`${messages(conversation, seq)}/reactions/${part(emoji)}`),
    unreact: (/** @type {string} */ conversation, /** @type {number} */ seq, /** @type {string} */ emoji) =>
      remove(`${messages(conversation, seq)}/reactions/${part(emoji)}`),
    readers: (/** @type {string} */ conversation, /** @type {number} */ seq) => get(`${messages(conversation, seq)}/readers`),
    search: (/** @type {{q: string, conversation?: string, cursor?: string}} */ query, /** @type {AbortSignal} */ signal) =>
      get("/search", { ...query, limit: 30 }, signal),

    file: (/** @type {string} */ file, /** @type {"file" | "image" | undefined} */ kind) =>
      get(`/files/${part(file)}`, { class: kind }),

    admin: {
      get: (/** @type {string} */ path, /** @type {Record<string, unknown> | undefined} */ query) =>
        get(`/admin${path}`, query),
      post: (/** @type {string} */ path, /** @type {unknown} */ body) => post(`/admin${path}`, body),
      put: (/** @type {string} */ path, /** @type {unknown} */ body) => put(`/admin${path}`, body),
      patch: (/** @type {string} */ path, /** @type {unknown} */ body) => patch(`/admin${path}`, body),
      remove: (/** @type {string} */ path) => remove(`/admin${path}`),
    },
  };
}

/** @typedef {ReturnType<typeof makeApi>} Api */
