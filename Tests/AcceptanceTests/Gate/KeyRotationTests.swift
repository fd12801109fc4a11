import Foundation
import HTTPServer
import Synchronization
import TestSupport
import Testing

/// Set once, by another thread.
final class Flag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .acquiring) }

  func set() { value.store(true, ordering: .releasing) }
}

@Suite("Keys that are rotated under load", .timeLimit(.minutes(5)))
struct KeyRotationTests {
  static let environment = CutOffCommandTests.environment

  static func token(_ key: SigningKey) throws -> String {
    let now = CutOffCommandTests.now
    let payload = """
      {"sid":"\(CutOffCommandTests.session)","sub":"\(CutOffCommandTests.user)","environment_id":"\(environment)",\
      "iat":\(now),"exp":\(now + 600),"scope":"user:basic"}
      """
    return "Authorization: Bearer \(try key.jwt(payload))\r\n"
  }

  static func variables(_ keys: KeyServer) -> [String: String] {
    [
      "DYNAMIC_ENVIRONMENT_ID": environment, "REVOKED_FORWARD_AUTH_VERIFY": "true",
      "REVOKED_FORWARD_AUTH_JWKS_URL": keys.url,
    ]
  }

  /// Asks with tokens of these keys until it is stopped.
  private final class Load: Sendable {
    let statuses = Mutex([Int: Int]())
    let isStopped = Flag()
    private let uses: Mutex<[SigningKey]>
    private let address: ListenAddress

    init(uses: [SigningKey], address: ListenAddress) {
      self.uses = Mutex(uses)
      self.address = address
    }

    func use(_ keys: [SigningKey]) {
      uses.withLock { $0 = keys }
      statuses.withLock { $0[200] = 0 }
    }

    func run() throws {
      while !isStopped.isSet, let key = uses.withLock({ $0.randomElement() }) {
        let status = try CutOffCommandTests.status("GET /v1/forward-auth", token(key), at: address) ?? 0
        statuses.withLock { $0[status, default: 0] += 1 }
      }
    }
  }

  @Test
  func `old, both, new: no token gets a wrong 401, and none of a removed key passes after the next fetch`() async throws
  {
    let (old, new) = (try SigningKey("old"), try SigningKey("new"))
    let keys = try KeyServer()
    try keys.publish(old)
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder, environment: Self.variables(keys))
    #expect(eventually { (try? server.get("/readyz"))?.status == 200 })
    let load = Load(uses: [old], address: server.privateAddress)
    let loads = (0..<4).map { _ in Task.detached { try load.run() } }
    func settle() { _ = eventually { load.statuses.withLock { $0[200] ?? 0 } > 100 } }
    settle()
    try keys.publish(old, new)
    load.use([old, new])
    settle()
    load.use([new])
    settle()
    load.isStopped.set()
    for load in loads { try await load.value }
    let statuses = load.statuses.withLock { $0.keys.sorted() }
    #expect(statuses == [200])

    // The start is a fetch as well.
    try keys.publish(new)
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    let next = try RunningServer(in: folder, environment: Self.variables(keys))
    #expect(eventually { (try? next.get("/readyz"))?.status == 200 })
    #expect(try next.get("/v1/forward-auth", fields: Self.token(new)).status == 200)
    let answer = try next.get("/v1/forward-auth", fields: Self.token(old))
    #expect(answer.status == 401 && answer.head.contains("X-Revoked-Reason: not-genuine"))
  }
}
