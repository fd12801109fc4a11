import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("An application behind the proxies of Config", .timeLimit(.minutes(5)))
struct ForwardAuthRecipeTests {
  static let token = "a-token-of-22-bytes-xx"

  @Test(arguments: Recipe.runnable)
  func `a revoked JWT is refused, one that is not revoked passes, and its request unchanged`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = try deployed.revokedSession()
    let other = UUID().uuidString.lowercased()
    let refused = [
      AccessToken(sid: revoked).field, AccessToken(sid: other, originalSid: revoked).field,
      AccessToken(sid: revoked, originalSid: other).field, "Authorization: Bearer no.jwt", "Authorization: Basic YTpi",
      "X-Other: no Authorization at all",
    ]
    for field in refused {
      let answer = try deployed.client.get(DeployedProxy.page, fields: [field])
      #expect(answer.status == 401, "\(field)")
      #expect(answer.head.lowercased().contains("\r\nwww-authenticate: bearer"))
    }
    #expect(deployed.application.requests == 0)

    let good = AccessToken(sid: other).field
    let answer = try deployed.client.post(DeployedProxy.page, fields: [good, "Cookie: a=b"], "a body of its own")
    #expect(answer.status == 200)
    #expect(answer.body.hasPrefix("POST /page?x=1 HTTP/1.1\r\n"))
    #expect(answer.body.lowercased().contains("\r\n\(good.lowercased())\r\n"))
    #expect(answer.body.lowercased().contains("\r\ncookie: a=b\r\n"))
    #expect(answer.body.hasSuffix("\r\n\r\na body of its own"))
    #expect(deployed.application.requests == 1)
  }

  @Test(arguments: Recipe.runnable)
  func `nothing that a client adds makes a revoked JWT pass`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = AccessToken(sid: try deployed.revokedSession()).field
    let other = UUID().uuidString.lowercased()
    let good = AccessToken(sid: other).field
    for added in ["X-Session-Id: \(other)", "X-Forwarded-Uri: /", "X-Original-URL: /", "Connection: authorization"] {
      for fields in [[revoked, added], [added, revoked]] {
        #expect(try deployed.client.get(DeployedProxy.page, fields: fields).status != 200, "\(added)")
      }
    }
    // Of two, the application may read either: it must not get the revoked one at all.
    for fields in [[revoked, good], [good, revoked]] {
      let answer = try deployed.client.get(DeployedProxy.page, fields: fields)
      #expect(answer.status != 200 || !answer.body.lowercased().contains(revoked.lowercased()))
    }
  }

  @Test(arguments: Recipe.runnable)
  func `with a private-token, the proxy knows it and the application does not`(recipe: Recipe) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": Self.token])
    let deployed = try DeployedProxy(recipe, server: server, token: Self.token)
    let revoked = AccessToken(sid: try deployed.revokedSession()).field
    let good = AccessToken(sid: UUID().uuidString.lowercased()).field
    #expect(try deployed.client.get(DeployedProxy.page, fields: [revoked]).status == 401)
    let answer = try deployed.client.get(DeployedProxy.page, fields: [good])
    #expect(answer.status == 200)
    #expect(!answer.body.contains(Self.token))
  }

  @Test(arguments: Recipe.runnable)
  func `the proxy's token opens nothing but forward-auth to a client`(recipe: Recipe) throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": Self.token])
    let deployed = try DeployedProxy(recipe, server: server, token: Self.token)
    let session = try deployed.revokedSession()
    let good = AccessToken(sid: UUID().uuidString.lowercased()).field
    let paths = [
      "metrics", "v1/sessions/\(session)", "v1/revocations", "v1/status", "_revoked", "_revoked/metrics",
      "_revoked/../metrics", "v1/forward-auth", "v1/forward-auth/../revocations", "page/..%2f..%2fmetrics",
    ]
    for path in paths {
      let answer = try deployed.client.get("https://app.example.com/" + path, fields: [good])
      // The application answers with the request.
      #expect(answer.body.hasPrefix("GET /") || (400..<500).contains(answer.status), "\(path)")
      #expect(!answer.body.contains("revoked_build_info") && !answer.body.contains(#""sessionId""#), "\(path)")
    }
  }

  @Test func `HAProxy's own way to the receiver is closed to other users, and leads to forward-auth only`() throws {
    let server = try RunningServer(in: TemporaryFolder(), environment: ["REVOKED_PRIVATE_TOKEN": Self.token])
    let deployed = try DeployedProxy(.haproxy, server: server, token: Self.token)
    let session = try deployed.revokedSession()
    let socket = Recipe.lookupsSocket(in: server.folder)
    let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    for (path, status) in [
      ("/v1/forward-auth", 401), ("/metrics", 404), ("/", 404), ("/v1/revocations", 404),
      ("/v1/sessions/\(session)", 404), ("/v1/forward-auth/../revocations", 404), ("/v1/forward-auth/x", 404),
    ] {
      let request = "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Session-Id: \(session)\r\n\r\n"
      #expect(try server.answer(to: request, on: .unix(path: socket)).status == status, "\(path)")
    }
  }

  @Test(arguments: Recipe.runnable)
  func `10,000 requests, half of them refused, are asked about over no more connections than the proxy keeps`(
    recipe: Recipe
  ) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = AccessToken(sid: try deployed.revokedSession()).field
    let good = AccessToken(sid: UUID().uuidString.lowercased()).field
    let accepted = #"revoked_accepted_connections_total{listener="private"}"#
    let before = try #require(try deployed.server.metric(accepted))
    for (field, status) in [(good, 200), (revoked, 401)] {
      #expect(try deployed.client.statuses(of: DeployedProxy.page, times: 5000, fields: [field]) == [status: 5000])
    }
    #expect(deployed.application.requests == 5000)
    // One of them is the second look at the metric.
    let taken = try #require(try deployed.server.metric(accepted)) - before
    #expect(taken <= 32)
  }

  @Test(arguments: Recipe.runnable)
  func `while the receiver is away nobody passes`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let good = AccessToken(sid: UUID().uuidString.lowercased()).field
    #expect(try deployed.client.get(DeployedProxy.page, fields: [good]).status == 200)
    deployed.server.signal(SIGKILL)
    #expect(deployed.server.exit() == SIGKILL)
    #expect((500...504).contains(try deployed.client.get(DeployedProxy.page, fields: [good]).status))
    #expect(deployed.application.requests == 1)
    #expect((500...504).contains(try deployed.deliver(DeliveryTests.event(session: DeliveryTests.session)).status))
  }

  @Test(arguments: Recipe.runnable.filter { $0.testDescription != Recipe.traefik.testDescription })
  func `changed as its file says, it lets everybody pass while the receiver is away, and only then`(recipe: Recipe)
    throws
  {
    let deployed = try DeployedProxy(recipe, server: RunningServer(in: TemporaryFolder()), failsOpen: true)
    let revoked = AccessToken(sid: try deployed.revokedSession()).field
    #expect(try deployed.client.get(DeployedProxy.page, fields: [revoked]).status == 401)
    deployed.server.signal(SIGKILL)
    #expect(deployed.server.exit() == SIGKILL)
    #expect(try deployed.client.get(DeployedProxy.page, fields: [revoked]).status == 200)
  }

  @Test func `nginx reaches both listeners on unix sockets, and a restart costs no delivery`() throws {
    let folder = try TemporaryFolder()
    let environment = [
      "REVOKED_LISTEN": "unix:\(folder.path)/public.sock", "REVOKED_PRIVATE_LISTEN": "unix:\(folder.path)/private.sock",
    ]
    let deployed = try DeployedProxy(.nginx, server: RunningServer(in: folder, environment: environment))
    let first = AccessToken(sid: try deployed.revokedSession()).field
    #expect(try deployed.client.get(DeployedProxy.page, fields: [first]).status == 401)
    // nginx' kept connection is dead from here on.
    deployed.server.signal(SIGKILL)
    #expect(deployed.server.exit() == SIGKILL)
    let restarted = try RunningServer(in: folder, environment: environment)
    let second = AccessToken(sid: try deployed.revokedSession()).field
    #expect(try deployed.client.get(DeployedProxy.page, fields: [first]).status == 401)
    #expect(try deployed.client.get(DeployedProxy.page, fields: [second]).status == 401)
    #expect(restarted.processIdentifier != deployed.server.processIdentifier)
  }
}
