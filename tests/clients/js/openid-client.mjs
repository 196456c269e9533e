// openid-client, as its documentation shows it: it checks state, iss, nonce and the ID token by itself.

import * as client from "openid-client";

import { hear, report, send } from "./talk.mjs";

const told = await hear();
const config = await client.discovery(new URL(told.issuer), told.client_id, told.client_secret, undefined, {
  // Http is refused, even for this machine, unless it is allowed; and TLS is trusted for the ID token's signature,
  // unless it is asked to check that.
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
});

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const arrived = await send(
  client.buildAuthorizationUrl(config, {
    redirect_uri: told.redirect_uri,
    scope: told.scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  }),
);
const first = await client.authorizationCodeGrant(config, arrived, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
const { sub, email } = first.claims();
const userinfo = await client.fetchUserInfo(config, first.access_token, sub);

const second = await client.refreshTokenGrant(config, first.refresh_token);
await client.fetchUserInfo(config, second.access_token, sub);

await client.tokenRevocation(config, second.refresh_token, { token_type_hint: "refresh_token" });
const refused = {
  userinfo: await client.fetchUserInfo(config, second.access_token, sub).catch((error) => error.cause?.[0]?.parameters.error),
  refresh: await client.refreshTokenGrant(config, second.refresh_token).catch((error) => error.error),
};

const left = await send(
  client.buildEndSessionUrl(config, {
    id_token_hint: second.id_token,
    post_logout_redirect_uri: told.post_logout_redirect_uri,
    state: "bye",
  }),
);
report({ email, userinfo, rotated: first.refresh_token !== second.refresh_token, refused, left });
