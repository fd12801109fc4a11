import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("What an application behind the proxies of Config learns, and from where", .timeLimit(.minutes(10)))
struct IdentityRecipeTests {
  static let user = CutOffCommandTests.user

  static func jwt(_ key: SigningKey, sid: String, changes: [String: String] = [:]) throws -> String {
    let now = CutOffCommandTests.now
    var claims = [
      "sid": #""\#(sid)""#, "sub": #""\#(user)""#, "environment_id": #""\#(CutOffCommandTests.environment)""#,
      "iat": "\(now - 5)", "exp": "\(now + 600)", "scope": #""user:basic""#,
    ]
    for (name, value) in changes { claims[name] = value }
    return try key.jwt("{" + claims.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}")
  }

  static func cookie(_ jwt: String) -> String { "Cookie: a=b; DYNAMIC_JWT_TOKEN=\(jwt); c=d" }
  static func bearer(_ jwt: String) -> String { "Authorization: Bearer \(jwt)" }

  @Test(arguments: Recipe.runnable)
  func `header, cookie, both, neither, doubled and spoofed: all is tested`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = AccessToken(sid: try deployed.revokedSession()).text
    let good = AccessToken(sid: UUID().uuidString.lowercased()).text
    let cases: [([String], Bool)] = [
      ([Self.cookie(good)], true), ([Self.cookie(revoked)], false), ([Self.bearer(good), Self.cookie(good)], true),
      ([Self.bearer(good), Self.cookie(revoked)], false), ([Self.bearer(revoked), Self.cookie(good)], false),
      ([], false),
      (["Cookie: a=b"], false), ([Self.bearer(good), "Cookie: a=b"], true), (["X-Session-Id: \(UUID())"], false),
      ([Self.cookie(revoked), "X-Session-Id: \(UUID().uuidString.lowercased())"], false),
      (["Cookie: DYNAMIC_JWT_TOKEN=\(good); DYNAMIC_JWT_TOKEN=\(good)"], false),
      (["Cookie: DYNAMIC_JWT_TOKEN=\"\(good)\""], false), (["Cookie: dynamic_jwt_token=\(good)"], false),
      ([Self.bearer(good), "Cookie: DYNAMIC_JWT_TOKEN="], false),
    ]
    for (fields, passes) in cases {
      let spoofed = ["X-Auth-User: mallory", "X-Auth-Session: mallory"]
      let answer = try deployed.client.get(DeployedProxy.page, fields: fields + spoofed)
      #expect(answer.status == (passes ? 200 : 401), "\(fields)")
      #expect(!answer.body.lowercased().contains("mallory"), "\(fields)")
    }
    // Of two fields the application must not get the revoked one.
    for fields in [[Self.cookie(revoked), Self.cookie(good)], [Self.cookie(good), Self.cookie(revoked)]] {
      let answer = try deployed.client.get(DeployedProxy.page, fields: fields)
      #expect(answer.status != 200 || !answer.body.contains(revoked), "\(fields)")
    }
  }

  @Test(arguments: Recipe.runnable)
  func `verified, the application gets whose token it is, and nothing that a client says of that`(recipe: Recipe) throws
  {
    let (key, stranger) = (try SigningKey("k1"), try SigningKey("k1"))
    let keys = try KeyServer()
    try keys.publish(key)
    let server = try RunningServer(in: TemporaryFolder(), environment: KeyRotationTests.variables(keys))
    #expect(eventually { (try? server.get("/readyz"))?.status == 200 })
    let deployed = try DeployedProxy(recipe, server: server)
    let session = UUID().uuidString.lowercased()
    let good = try Self.jwt(key, sid: session)
    for fields in [[Self.bearer(good)], [Self.cookie(good)], [Self.bearer(good), Self.cookie(good)]] {
      for spoofed in [[], ["X-Auth-User: mallory", "X-Auth-Session: mallory"], ["x-auth-user: mallory"]] {
        let answer = try deployed.client.get(DeployedProxy.page, fields: spoofed + fields)
        #expect(answer.status == 200)
        let lines = answer.body.lowercased().components(separatedBy: "\r\n").filter { $0.hasPrefix("x-auth-") }
        #expect(lines.sorted() == ["x-auth-session: \(session)", "x-auth-user: \(Self.user)"], "\(fields) \(spoofed)")
      }
    }
    let revoked = try Self.jwt(key, sid: deployed.revokedSession())
    let refused = try [
      revoked, Self.jwt(stranger, sid: session), Self.jwt(key, sid: session, changes: ["exp": "1"]),
      Self.jwt(key, sid: session, changes: ["scope": #""x""#]), "x",
    ]
    for jwt in refused {
      for fields in [
        [Self.bearer(jwt)], [Self.cookie(jwt)], [Self.bearer(good), Self.cookie(jwt)],
        [Self.bearer(jwt), Self.cookie(good)],
      ] {
        #expect(try deployed.client.get(DeployedProxy.page, fields: fields).status == 401)
      }
    }
    #expect(try deployed.client.get(DeployedProxy.page, fields: ["X-Session-Id: \(session)"]).status == 401)
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    #expect((500...504).contains(try deployed.client.get(DeployedProxy.page, fields: [Self.bearer(good)]).status))
  }

  @Test(arguments: Recipe.runnable)
  func `a CORS preflight passes without credentials and says nothing of who asks; with credentials it is asked about`(
    recipe: Recipe
  ) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = AccessToken(sid: try deployed.revokedSession()).text
    let asks = ["Origin: https://a.example", "Access-Control-Request-Method: POST"]
    let answer = try deployed.client.options(DeployedProxy.page, fields: asks + ["X-Auth-User: mallory"])
    #expect(answer.status == 200 && answer.body.hasPrefix("OPTIONS /page?x=1") && !answer.body.contains("mallory"))
    for fields in [["Origin: https://a.example"], asks + [Self.bearer(revoked)], asks + [Self.cookie(revoked)]] {
      #expect(try deployed.client.options(DeployedProxy.page, fields: fields).status == 401, "\(fields)")
    }
    #expect(try deployed.client.get(DeployedProxy.page, fields: asks).status == 401)
  }

  @Test(arguments: Recipe.runnable)
  func `a WebSocket's handshake is asked about by its cookie`(recipe: Recipe) throws {
    let deployed = try DeployedProxy(recipe)
    let revoked = AccessToken(sid: try deployed.revokedSession()).text
    let good = AccessToken(sid: UUID().uuidString.lowercased()).text
    let upgrade = [
      "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    #expect(try deployed.client.get(DeployedProxy.page, fields: upgrade + [Self.cookie(revoked)]).status == 401)
    #expect(try deployed.client.get(DeployedProxy.page, fields: upgrade).status == 401)
    // The application answers with the request as it arrived.
    let answer = try deployed.client.get(DeployedProxy.page, fields: upgrade + [Self.cookie(good)])
    #expect(answer.body.lowercased().contains("\r\nupgrade: websocket\r\n"), "\(answer.status)")
  }

  @Test func `nginx logs why a request was refused`() throws {
    let nginx = try DeployedProxy(.nginx)
    #expect(try nginx.client.get(DeployedProxy.page, fields: ["Authorization: Bearer x"]).status == 401)
    #expect(try nginx.client.get(DeployedProxy.page).status == 401)
    let log = nginx.server.folder.path + "/access.log"
    #expect(
      eventually {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.contains("\"unreadable\"\n") && text.contains("\"no-session\"\n")
      })
  }
}
