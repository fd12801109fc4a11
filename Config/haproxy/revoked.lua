-- Asks revoked about the session of a request's JWT, for `http-request lua.revoked` in haproxy.cfg.
--
-- txn.revoked becomes the status of the answer: 200 may pass, 401 is revoked or has no session, anything else cannot be
-- told. txn.revoked_reason becomes revoked's reason, for the log. An error in here leaves both unset, which haproxy.cfg
-- refuses like a status that cannot be told. Deadlines and the token stand there, too.

-- Longer than what the backend revoked_lookups may take with its one retry, so that it is the one to answer.
local patience = 5000

-- The socket of the frontend revoked_lookups.
local lookups = "unix@/run/haproxy/revoked-lookups.sock"

core.register_action("revoked", { "http-req" }, function(txn)
  -- Only the JWT goes there: no X-Session-Id of the client's choice, no cookies. Every field, should a client send
  -- several: revoked refuses those, since it cannot know which of them the application reads.
  local authorization = {}
  for _, value in pairs(txn.http:req_get_headers()["authorization"] or {}) do
    table.insert(authorization, value)
  end
  local answer = core.httpclient():get {
    url = "http://revoked/v1/forward-auth",
    dst = lookups,
    headers = { authorization = authorization },
    timeout = patience,
  }
  txn:set_var("txn.revoked", answer and answer.status or 503)
  local reason = answer and answer.headers and answer.headers["x-revoked-reason"]
  txn:set_var("txn.revoked_reason", reason and reason[0] or "-")
end)
