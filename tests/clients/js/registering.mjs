// openid-client registers an app by itself, and logs a person in with what it was given.

import * as client from "openid-client";

import { hear, report, send } from "./talk.mjs";

const told = await hear();
const config = await client.dynamicClientRegistration(
  new URL(told.issuer),
  {
    client_name: "Registered by openid-client",
    redirect_uris: [told.redirect_uri],
    grant_types: ["authorization_code", "refresh_token"],
    scope: told.scope,
    ...(told.method ? { token_endpoint_auth_method: told.method } : {}),
  },
  told.method === "none" ? client.None() : undefined,
  { execute: [client.allowInsecureRequests] },
);

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const arrived = await send(
  client.buildAuthorizationUrl(config, {
    redirect_uri: told.redirect_uri,
    scope: told.scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
  }),
);
const tokens = await client.authorizationCodeGrant(config, arrived, { pkceCodeVerifier, expectedState });
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
report({ client: config.clientMetadata(), email: userinfo.email });
