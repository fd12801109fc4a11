import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("The private listener", .timeLimit(.minutes(5)))
struct PrivateListenerTests {
  static let token = "a-token-of-22-bytes-xx"
  static let session = DeliveryTests.session

  @Test(arguments: [("/livez", "ok"), ("/readyz", #"{"ready":true}"#)])
  func `it is alive and ready`(path: String, body: String) throws {
    let answer = try RunningServer(in: TemporaryFolder()).get(path)
    #expect(answer.status == 200)
    #expect(answer.body == body)
  }

  @Test func `it stays ready however often it is asked`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let client = try Client(server.privateAddress)
    // Longer than one probe's patience: what has become of an early probe must not show in a later one's answer.
    let end = ContinuousClock.now + .milliseconds(2200)
    while ContinuousClock.now < end {
      client.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
      try #require(client.read(until: "}").contains(#"{"ready":true}"#))
    }
  }

  @Test(arguments: [
    ("GET", "/v1/sessions/\(session)", 200), ("GET", "/v1/sessions/x", 400), ("GET", "/v1/nothing", 404),
    ("PUT", "/v1/sessions/\(session)", 405),
  ])
  func `every answer below /v1 says when Dynamic was last heard of`(method: String, path: String, status: Int) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let request = "\(method) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    #expect(try server.answer(to: request, on: server.privateAddress).field("X-Revoked-Last-Event") == nil)
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    let answer = try server.answer(to: request, on: server.privateAddress)
    #expect(answer.status == status)
    let time = try #require(answer.field("X-Revoked-Last-Event"))
    #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
  }

  @Test
  func `every sample of the metrics follows the type of its metric, and every metric of the contract is there`() throws
  {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_HANDLERS_AUDIT_KIND": "log"])
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    let answer = try server.get("/metrics")
    #expect(answer.status == 200)
    #expect(answer.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
    var types: [String: String] = [:]
    var current = ""
    var sampled: Set<String> = []
    for line in answer.body.split(separator: "\n").map(String.init) {
      let words = line.split(separator: " ").map(String.init)
      if line.hasPrefix("# HELP ") { continue }
      if line.hasPrefix("# TYPE ") {
        #expect(types[words[2]] == nil, "\(words[2]) is declared twice")
        types[words[2]] = words[3]
        current = words[2]
        continue
      }
      var name = String(line.prefix { $0 != "{" && $0 != " " })
      if types[current] == "histogram" {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) { name.removeLast(suffix.count) }
      }
      #expect(name == current, "\(line) stands below \(current)")
      #expect(words.last.flatMap(Double.init) != nil, "\(line)")
      sampled.insert(name)
    }
    #expect(
      sampled == [
        "revoked_webhooks_total", "revoked_signature_failures_total", "revoked_http_requests_total",
        "revoked_connections", "revoked_commit_seconds", "revoked_commit_batch_size",
        "revoked_revocation_latency_seconds", "revoked_last_signed_event_timestamp_seconds",
        "revoked_deliveries_total", "revoked_deliveries_pending", "revoked_dead_letters", "revoked_lookups_total",
        "revoked_sessions_revoked", "revoked_build_info", "revoked_forward_auth_refused_total",
        "revoked_refused_deliveries_total", "revoked_implausible_timestamps_total", "revoked_unclean_starts_total",
        "revoked_accepted_connections_total", "revoked_ready", "revoked_lookup_seconds",
        "revoked_oldest_pending_seconds", "revoked_store_created_timestamp_seconds", "revoked_store_bytes",
        "revoked_store_free_bytes", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_max_fds", "process_start_time_seconds",
      ])
    #expect(types.count == sampled.count)
    for (name, type) in types where name.hasSuffix("_total") { #expect(type == "counter", "\(name)") }
    #expect(answer.body.contains(#"revoked_webhooks_total{event="user.session.revoked",outcome="accepted"} 1"# + "\n"))
    #expect(answer.body.contains(#"revoked_http_requests_total{listener="public",code="200"} 1"# + "\n"))
  }

  @Test func `the metrics of the store and of the process say what is so`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    for path in ["/v1/sessions/\(Self.session)", "/v1/forward-auth", "/v1/nothing"] { _ = try server.get(path) }
    let metric = { (sample: String) in try #require(try server.metric(sample), "\(sample)") }
    #expect(try metric("revoked_ready") == 1)
    #expect(try metric("revoked_lookup_seconds_count") == 3)
    #expect(try metric(#"revoked_lookup_seconds_bucket{le="+Inf"}"#) == 3)
    #expect((0...1).contains(try metric("revoked_lookup_seconds_sum")))
    let now = Date().timeIntervalSince1970
    #expect((now - 60...now + 1).contains(try metric("revoked_store_created_timestamp_seconds")))
    #expect((now - 60...now + 1).contains(try metric("process_start_time_seconds")))
    let size = try FileManager.default.attributesOfItem(atPath: folder.database)[.size] as? Double
    #expect(try metric(#"revoked_store_bytes{file="database"}"#) == size)
    #expect(try metric(#"revoked_store_bytes{file="log"}"#) > 0)
    #expect(try metric("revoked_store_free_bytes") > 0)
    #expect((0.001...60).contains(try metric("process_cpu_seconds_total")))
    #expect((1e6...1e9).contains(try metric("process_resident_memory_bytes")))
    let limit = try metric("process_max_fds")
    #expect((10...limit).contains(try metric("process_open_fds")))
  }

  @Test func `a histogram's buckets grow, and the last one counts all`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for _ in 0..<3 {
      #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 200)
    }
    // The writer answers first and counts then, the size of a batch last.
    #expect(try eventually { try server.metric(#"revoked_commit_batch_size_bucket{le="1.0"}"#) == 3 })
    let buckets = try server.get("/metrics").body.split(separator: "\n")
      .filter { $0.hasPrefix("revoked_commit_seconds_bucket") }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    #expect(buckets == buckets.sorted())
    #expect(buckets.last == 3)
    #expect(try server.metric("revoked_commit_seconds_count") == 3)
  }

  @Test(arguments: [
    ("/v1/sessions/\(session)", 200), ("/v1/nothing", 404), ("/metrics", 200), ("/", 200),
  ])
  func `with a token, what tells something needs it; whether we are alive and ready does not`(path: String, status: Int)
    throws
  {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": Self.token])
    let refused = [
      "", "Authorization: Bearer \(Self.token)x\r\n", "Authorization: Bearer \(Self.token.dropLast())\r\n",
      "Authorization: Basic \(Self.token)\r\n", "Authorization: \(Self.token)\r\n", "Authorization: Bearer \r\n",
      "X-Revoked-Token: \(Self.token)x\r\n", "X-Revoked-Token: \r\n",
    ]
    for fields in refused {
      let answer = try server.get(path, fields: fields)
      #expect(answer.status == 401)
      #expect(answer.field("WWW-Authenticate")?.hasPrefix("Bearer") == true)
      #expect(!answer.body.contains("revoked\":"))
    }
    let granted = [
      "Authorization: Bearer \(Self.token)\r\n", "authorization: bearer \(Self.token)\r\n",
      "X-Revoked-Token: \(Self.token)\r\n",
      "Authorization: Bearer the.users.jwt\r\nX-Revoked-Token: \(Self.token)\r\n",
    ]
    for fields in granted { #expect(try server.get(path, fields: fields).status == status) }
    #expect(try server.get("/livez").status == 200)
    #expect(try server.get("/readyz").status == 200)
    #expect(server.log.wait { $0.contains("private token missing or wrong") })
    #expect(!server.log.text.contains(Self.token))
  }

  @Test(arguments: ["/nothing", "/v1/sessions", "/livez/", "/webhooks/dynamic"])
  func `what is not there is 404`(path: String) throws {
    let answer = try RunningServer(in: TemporaryFolder()).get(path)
    #expect(answer.status == 404)
    #expect(answer.field("Content-Type") == "application/problem+json")
  }

  @Test(arguments: [
    "/metrics", "/v1/sessions/\(session)",
  ])
  func `other methods are 405 and told what is allowed`(path: String) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let answer = try server.answer(
      to: "DELETE \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", on: server.privateAddress)
    #expect(answer.status == 405)
    #expect(answer.field("Allow") == "GET, HEAD")
    let head = try server.answer(
      to: "HEAD \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", on: server.privateAddress)
    #expect(head.status == 200)
    #expect(head.body == "")
    #expect(head.field("Content-Length") != "0")
  }
}
