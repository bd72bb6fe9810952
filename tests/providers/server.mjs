// A real OpenID provider (panva's oidc-provider) that plays Google, Microsoft account, multi-tenant Azure AD, or
// any other, on loopback over https. Started by node.py with one JSON argument; told what to do at `/control`.
//
// The one thing to understand: all of the protocol is oidc-provider's own. A layer around it (`adjust`) changes
// what the live ones do otherwise, and what a test forges:
//   - Azure AD: discovery names the issuer with the placeholder {tenantid}; each ID token has the issuer of its own
//     `tid`. One oidc-provider has one issuer, so the token is signed anew with the provider's own key.
//   - `iss` in the response (RFC 9207): Microsoft sends none; Google sends it and does not announce it.
//   - `prompt=select_account`: Google and Microsoft know it; others need not, and oidc-provider does not.
//   - clock, claims and signature of the ID token, once a test wants them wrong: signed anew, too.
//   - The live ones take the client's secret in the header or in the form. An oidc-provider takes what its client is
//     registered with; so there are two, alike in all else and with one store, and the request chooses.
// Nobody stays signed in: the session cookie is dropped when an authorization begins, so the page with the accounts
// always comes.
import { createPublicKey, createSecretKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";

import { SignJWT, UnsecuredJWT, decodeJwt, importJWK } from "jose";
import Provider, { interactionPolicy } from "oidc-provider";

const PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"; // the tenant of all Microsoft accounts
const KINDS = {
  google: { path: "", issuer: "", sendsIss: true, announcesIss: false },
  microsoft_account: { path: "/consumers/v2.0", issuer: `/${PERSONAL}/v2.0`, sendsIss: false },
  azure_ad: { path: "/organizations/v2.0", issuer: "/organizations/v2.0", published: "/{tenantid}/v2.0", sendsIss: false },
  other: { path: "/realms/guests", issuer: "/realms/guests", sendsIss: true, announcesIss: true },
};
const ENDPOINTS = { "/.well-known/openid-configuration": "discovery", "/jwks": "jwks", "/token": "token", "/auth": "authorization", "/me": "userinfo" };
const CLAIMS = {
  openid: ["sub", "tid", "oid", "ver", "idp", "hd", "upn", "xms_edov"],
  email: ["email", "email_verified"],
  profile: ["name", "preferred_username", "given_name", "family_name", "picture", "locale"],
};
const { kind: name, port, chain, key, state: file, client } = JSON.parse(process.argv[2]);
const kind = KINDS[name];
const origin = `https://localhost:${port}`;
const fresh = (keys) => ({
  accounts: {}, // sub → claims
  redirect_uris: ["https://nobody.example/"], // oidc-provider wants one
  keys, // the first one signs
  skew: 0, // s its clock is ahead
  claims: {}, // put into each ID token instead of what is right; null: left out
  signature: "own", // or none, stranger, secret, public
  iss: null, // in the response: null: as live; "": none; else this
  metadata: {}, // put into the discovery document
  failing: {}, // endpoint → status; 0: never answers
});
let state = existsSync(file) ? JSON.parse(readFileSync(file)) : fresh([newKey()]);
let providers = made();
let asked = [];

createServer({ cert: readFileSync(chain), key: readFileSync(key) }, (req, res) => {
  answer(req, res).catch((fault) => {
    console.error(fault);
    if (!res.headersSent) send(res, 500, "text/plain", String(fault));
  });
}).listen(port, "127.0.0.1");

async function answer(req, res) {
  const { pathname } = new URL(req.url, origin);
  if (pathname === "/control") return control(req, res);
  if (!pathname.startsWith(`${kind.path}/`)) return send(res, 404, "text/plain", "nothing here");
  const path = pathname.slice(kind.path.length);
  const failing = state.failing[ENDPOINTS[path]];
  if (failing !== undefined) return failing ? send(res, failing, "text/plain", "failing on purpose") : undefined;
  if (path.startsWith("/interaction/")) return interaction(req, res);
  if (path === "/auth") req.headers.cookie = (req.headers.cookie ?? "").replace(/_session[^;]*(; )?/g, "");
  req.originalUrl = req.url;
  req.url = req.url.slice(kind.path.length);
  const inForm = path === "/token" && !req.headers.authorization;
  return providers[inForm ? "client_secret_post" : "client_secret_basic"].callback()(req, res);
}

function made() {
  return Object.fromEntries(["client_secret_basic", "client_secret_post"].map((method) => [method, taking(method)]));
}

function taking(method) {
  const settings = {
    clients: [{ ...client, redirect_uris: state.redirect_uris, token_endpoint_auth_method: method }],
    jwks: { keys: state.keys },
    claims: CLAIMS,
    conformIdTokenClaims: false, // the claims of the scopes stand in the ID token, as with the live ones
    cookies: { keys: ["for tests only"] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, sub) => state.accounts[sub] && { accountId: sub, claims: () => ({ sub, ...state.accounts[sub] }) },
    interactions: { policy: choosing(), url: (_, { uid }) => `${kind.path}/interaction/${uid}` },
    clientAuthMethods: ["client_secret_basic", "client_secret_post"],
    pkce: { methods: ["S256"], required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 3600, Interaction: 600, Session: 600 },
  };
  const next = new Provider(origin + kind.issuer, settings);
  next.use(adjust);
  next.on("server_error", (_, fault) => console.error(fault));
  return next;
}

function choosing() {
  const policy = interactionPolicy.base();
  const asked = new interactionPolicy.Prompt({ name: "select_account", requestable: true });
  if (name !== "other") policy.add(asked, 0);
  return policy;
}

async function adjust(ctx, next) {
  await next();
  const { route, params } = ctx.oidc ?? {};
  asked.push({ endpoint: route, status: ctx.status, basic: Boolean(ctx.get("authorization")), params: { ...ctx.query, ...params } });
  if (route === "discovery") ctx.body = published(ctx.body);
  if (route === "token" && ctx.body?.id_token) ctx.body = { ...ctx.body, id_token: await reissued(ctx.body.id_token) };
  const to = ctx.response.get("location");
  if (state.redirect_uris.some((each) => to.startsWith(each))) ctx.set("location", withIss(new URL(to)));
}

function published(document) {
  const issuer = kind.published ? origin + kind.published : document.issuer;
  const announced = { authorization_response_iss_parameter_supported: kind.announcesIss };
  return { ...document, issuer, ...announced, ...state.metadata };
}

function withIss(to) {
  const right = kind.sendsIss ? to.searchParams.get("iss") : "";
  const iss = state.iss ?? right;
  iss ? to.searchParams.set("iss", iss) : to.searchParams.delete("iss");
  return to.href;
}

async function reissued(token) {
  const right = decodeJwt(token);
  if (kind.published) right.iss = origin + kind.published.replace("{tenantid}", right.tid);
  for (const time of ["iat", "exp", "auth_time"]) if (time in right) right[time] += state.skew;
  const claims = Object.fromEntries(Object.entries({ ...right, ...state.claims }).filter(([, value]) => value !== null));
  const { kid } = state.keys[0];
  if (state.signature === "none") return new UnsecuredJWT(claims).encode();
  if (state.signature === "secret") return signed(claims, { alg: "HS256" }, createSecretKey(Buffer.from(client.client_secret)));
  if (state.signature === "public") return signed(claims, { alg: "HS256", kid }, createSecretKey(Buffer.from(publicPem())));
  const signer = state.signature === "stranger" ? newKey() : state.keys[0];
  return signed(claims, { alg: "RS256", kid }, await importJWK(signer, "RS256"));
}

function signed(claims, header, secret) {
  return new SignJWT(claims).setProtectedHeader(header).sign(secret);
}

function publicPem() {
  return createPublicKey({ key: state.keys[0], format: "jwk" }).export({ type: "spki", format: "pem" });
}

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

// The page with the accounts.

async function interaction(req, res) {
  const provider = providers.client_secret_basic;
  const { params } = await provider.interactionDetails(req, res);
  if (req.method !== "POST") return send(res, 200, "text/html", page(params));
  const sub = new URLSearchParams(await body(req)).get("account");
  if (!sub) return provider.interactionFinished(req, res, { error: "access_denied", error_description: "cancelled" });
  const grant = new provider.Grant({ accountId: sub, clientId: client.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  const login = { accountId: sub, remember: false };
  return provider.interactionFinished(req, res, { login, consent, select_account: {} });
}

function page({ login_hint: hint }) {
  const accounts = Object.entries(state.accounts).map(
    ([sub, { email }]) => `<p><button name="account" value="${safe(sub)}">Sign in as ${safe(email ?? sub)}</button></p>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Choose an account</title><h1>Choose an account</h1>
<p id="hint">${safe(hint ?? "")}</p><form method="post">${accounts.join("")}<p><button name="account" value="">Cancel</button></p></form></html>`;
}

// What the test says.

async function control(req, res) {
  const { reset, rotate, ...changes } = JSON.parse((await body(req)) || "{}");
  if (reset) [state, asked] = [fresh(state.keys), []];
  if (rotate) changes.keys = [newKey(), ...(rotate === "keep" ? state.keys : [])];
  Object.assign(state, changes);
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  providers = made();
  return send(res, 200, "application/json", JSON.stringify({ state, asked }));
}

async function body(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(res, status, type, text) {
  res.writeHead(status, { "content-type": `${type}; charset=utf-8` });
  res.end(text);
}

function safe(text) {
  return String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
