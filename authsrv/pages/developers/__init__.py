"""`/developers`, the portal: one file a page, all hung into one frame.

A page of an app is a handler, a template, a door and, if it stands in the navigation, a tab:

    @app_page
    async def show(request: Request, developing: Developing) -> Response:
        return show_app(request, developing, "developers/usage.html", tab="usage", days=days)

    @app_action
    async def revoke(request: Request, developing: Developing, form: Fields) -> Response:
        await change_app(request, developing, lambda unit, client: end_key(unit, client, form.one("key")))
        return back_to(request, developing, "keys", done="key_revoked")

- `app_page` (`guard.py`): members see it, others 404, nobody signs in first. `app_action` besides reads the form (CSRF
  included) and lets admins alone through; viewers get 403. `change_app` judges the same again in the transaction of the
  change, and hands it the client's row. `developer_page` is for who is signed in, whatever they belong to.
- The door is `/developers/apps/{app}/…` in `routes.py`; `{app}` is the `client_id`.
- `TABS` (`frame.py`) has a line for each tab: its key and the end of its path; its word is `developers.tab.{key}`.
- The template extends `developers/app.html` and fills the block `page`; it knows `app`, `role`, `may_act` and `person`.
  `developers/pieces.html` has what pages share: fields with their errors, times, empty states, copyable text.
- `back_to(…, done="key")` comes back to a tab, where the text `developers.done.{key}` says that it worked.
- A form that makes something carries `once_token` (`web/once.py`): sent twice, it makes one.
- Texts are in `texts/{language}/developers.toml`; another area has a file of its own beside it.
"""
