/** Tokens that a test signs itself, and the variables of a server that requires them. */

import { createHmac } from "node:crypto";

const secret = "a secret of at least 32 bytes for the tests";

/** Variables of a server that accepts the tokens of `token`. */
export const requiresToken = {
  WORKER_JWT_SECRET: secret,
  WORKER_JWT_ISSUER: "login",
  WORKER_JWT_AUDIENCE: "echo",
};

/**
 * Signs a token for ana of acme.
 *
 * @param {number} seconds how long the token is valid
 * @param {string} [key] the key of the signature
 */
export function token(seconds, key = secret) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const claims = { iss: "login", aud: "echo", sub: "ana", org_id: "acme", exp };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}
