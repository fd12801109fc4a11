-- Asks revoked about the session of a request's JWT, for `http-request lua.revoked` in haproxy.cfg.
--
-- txn.revoked becomes the status of the answer: 200 may pass, 401 is revoked or has no session, anything else cannot be
-- told. txn.revoked_reason becomes revoked's reason, for the log; txn.revoked_user and txn.revoked_session whose JWT it is,
-- where that is verified. An error in here leaves them unset, which haproxy.cfg refuses like a status that cannot be told. Deadlines and the token stand there, too.

-- Longer than what the backend revoked_lookups may take with its one retry, so that it is the one to answer.
local patience = 5000

-- The socket of the frontend revoked_lookups.
local lookups = "unix@/run/haproxy/revoked-lookups.sock"

core.register_action("revoked", { "http-req" }, function(txn)
  -- Only what may carry the JWT goes there: no X-Session-Id of the client's choice. Every field, should a client send
  -- several: revoked refuses those, since it cannot know which of them the application reads. Whoever takes cookie away must
  -- have an application that reads no JWT from one.
  local sent = {}
  local given = txn.http:req_get_headers()
  for _, name in pairs({ "authorization", "cookie" }) do
    local values = {}
    for _, value in pairs(given[name] or {}) do
      table.insert(values, value)
    end
    if #values > 0 then
      sent[name] = values
    end
  end
  local answer = core.httpclient():get {
    url = "http://revoked/v1/forward-auth",
    dst = lookups,
    headers = sent,
    timeout = patience,
  }
  txn:set_var("txn.revoked", answer and answer.status or 503)
  local fields = answer and answer.headers or {}
  txn:set_var("txn.revoked_reason", fields["x-revoked-reason"] and fields["x-revoked-reason"][0] or "-")
  -- With forward-auth.verify: whose JWT it is.
  if fields["x-auth-user"] then
    txn:set_var("txn.revoked_user", fields["x-auth-user"][0])
  end
  if fields["x-auth-session"] then
    txn:set_var("txn.revoked_session", fields["x-auth-session"][0])
  end
end)
