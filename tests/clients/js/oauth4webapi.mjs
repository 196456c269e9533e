// oauth4webapi: the same steps one level below, each answer checked as strictly as the standards allow.

import * as oauth from "oauth4webapi";

import { hear, report, send } from "./talk.mjs";

const told = await hear();
// Http is refused, even for this machine, unless it is allowed.
const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(told.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, plain));
const client = { client_id: told.client_id };
const secret = oauth.ClientSecretBasic(told.client_secret);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  response_type: "code",
  client_id: told.client_id,
  redirect_uri: told.redirect_uri,
  scope: told.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
// Checks state and iss (RFC 9207).
const callback = oauth.validateAuthResponse(server, client, await send(url), state);
const redeemed = await oauth.authorizationCodeGrantRequest(
  server, client, secret, callback, told.redirect_uri, verifier, plain,
);
const first = await oauth.processAuthorizationCodeResponse(server, client, redeemed, {
  expectedNonce: nonce,
  requireIdToken: true,
});
// The library trusts TLS for the signature, unless it is asked to check it.
await oauth.validateApplicationLevelSignature(server, redeemed, plain);
const { sub, email } = oauth.getValidatedIdTokenClaims(first);
const userinfo = await whoIs(first.access_token);

const second = await refresh(first.refresh_token);
await whoIs(second.access_token);

await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, secret, second.refresh_token, {
    ...plain,
    additionalParameters: { token_type_hint: "refresh_token" },
  }),
);
const refused = {
  userinfo: await whoIs(second.access_token).catch((error) => error.cause?.[0]?.parameters.error),
  refresh: await refresh(second.refresh_token).catch((error) => error.error),
};

const leaving = new URL(server.end_session_endpoint);
leaving.search = new URLSearchParams({
  id_token_hint: second.id_token,
  post_logout_redirect_uri: told.post_logout_redirect_uri,
  state: "bye",
});
const left = await send(leaving);
report({ email, userinfo, rotated: first.refresh_token !== second.refresh_token, refused, left });

async function whoIs(accessToken) {
  const response = await oauth.userInfoRequest(server, client, accessToken, plain);
  return oauth.processUserInfoResponse(server, client, sub, response);
}

async function refresh(refreshToken) {
  const response = await oauth.refreshTokenGrantRequest(server, client, secret, refreshToken, plain);
  return oauth.processRefreshTokenResponse(server, client, response);
}
