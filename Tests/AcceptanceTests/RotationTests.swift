import Foundation
import TestSupport
import Testing

/// From one secret to the next and the one after that, as an operator does it, while Dynamic's deliveries keep coming.
@Suite("Secrets that change under load", .timeLimit(.minutes(10)))
struct RotationTests {
  private static let rotations = LongRun.isAsked ? 200 : 8

  private let folder: TemporaryFolder
  private let server: RunningServer

  init() throws {
    folder = try TemporaryFolder()
    let file = try folder.write(Self.secret(0), to: "secrets")
    server = try RunningServer(
      in: folder, environment: ["DYNAMIC_WEBHOOK_SECRET_FILE": file, "REVOKED_LOG_LEVEL": "notice"])
  }

  @Test
  func `no delivery is refused whose secret is listed before and after, and each is once its secret is gone`() throws {
    var reloads = 0
    var old = try load(0)
    for number in 1...Self.rotations {
      try reload([number - 1, number], &reloads)
      let new = try load(number)
      try expectMore(from: old)
      try expectMore(from: new)
      #expect(old.record.wrong == [])
      try reload([number], &reloads)
      let refused = old.wait()
      // Each connection ends with its first 401, and had nothing but 200 before.
      try #require(refused.wrong.count == Self.connections)
      for text in refused.wrong { #expect(text.hasPrefix("HTTP/1.1 401 ")) }
      #expect(refused.refused == [] && refused.unanswered == [])
      let text = Vector.sessionRevoked.text
      let forged = try server.post(text, signature: DeliveryTests.sign(text, with: Self.secret(number - 1)))
      #expect(forged.status == 401)
      try expectMore(from: new)
      old = new
    }
    let last = old.stop()
    #expect(last.wrong == [] && last.refused == [] && last.unanswered == [])
    #expect(try Audit(server).refused(last.acknowledged) == last.acknowledged)
  }

  private static let connections = 3

  private static func secret(_ number: Int) -> String { "dyn_the-secret-of-rotation-\(number)" }

  private func load(_ number: Int) throws -> Load {
    try Load(on: server.address, connections: Self.connections, secret: Self.secret(number))
  }

  /// Returns once more deliveries were accepted than could be in flight.
  private func expectMore(from load: Load) throws {
    let before = load.record.acknowledged.count
    try #require(eventually { load.record.acknowledged.count >= before + 20 })
  }

  /// Returns once the server says that it has these.
  private func reload(_ numbers: [Int], _ reloads: inout Int) throws {
    _ = try folder.write(numbers.map(Self.secret).joined(separator: "\n"), to: "secrets")
    reloads += 1
    let expected = reloads
    server.signal(SIGHUP)
    #expect(server.log.wait { $0.components(separatedBy: "reloaded the secrets").count == expected + 1 })
  }
}
