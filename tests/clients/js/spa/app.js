// A single-page app on oidc-client-ts: each button is one thing it does, and #outcome says what came of the last one.

const settings = await (await fetch("settings.json")).json();
const here = location.origin + location.pathname;
const manager = new oidc.UserManager({
  ...settings,
  redirect_uri: here,
  post_logout_redirect_uri: here,
  automaticSilentRenew: false,
  loadUserInfo: true,
});

const deeds = {
  "sign-in": () => manager.signinRedirect(),
  renew: async () => described(await manager.signinSilent()),
  who: async () => {
    const user = await manager.getUser();
    const endpoint = await manager.metadataService.getUserInfoEndpoint();
    const response = await fetch(endpoint, { headers: { Authorization: `Bearer ${user.access_token}` } });
    return { status: response.status, ...(await response.json()) };
  },
  // The manager forgets what it revokes; the app keeps the token to show that it is void.
  revoke: async () => {
    const user = await manager.getUser();
    await manager.revokeTokens();
    const kept = await manager.getUser();
    await manager.storeUser(user);
    return { forgotten: kept.refresh_token === undefined || kept.refresh_token === null };
  },
  "sign-out": () => manager.signoutRedirect({ state: "bye" }),
};

for (const [id, deed] of Object.entries(deeds)) {
  document.getElementById(id).addEventListener("click", () => run(id, deed));
}

const answer = new URLSearchParams(location.search);
if (answer.has("code") || answer.has("error")) {
  await run("sign-in", async () => described(await manager.signinCallback()));
} else if (answer.has("state")) {
  await run("sign-out", async () => ({ state: (await manager.signoutCallback()).userState }));
} else {
  show({ did: "start" });
}

async function run(did, deed) {
  show({});
  try {
    const outcome = await deed();
    if (outcome !== undefined) show({ did, outcome });
  } catch (error) {
    show({ did, error: `${error.name}: ${error.message}` });
  }
}

function described(user) {
  return { profile: user.profile, access_token: user.access_token, refresh_token: user.refresh_token };
}

function show(what) {
  document.getElementById("outcome").textContent = JSON.stringify(what);
}
