import Foundation
import TestSupport
import Testing

@Suite("A store whose pages are damaged while the server runs", .timeLimit(.minutes(5)))
struct DamageTests {
  @Test
  func
    `is said to be so, answers 503 from then on, and is the old one again once it is mended and the server restarted`()
    throws
  {
    let folder = try TemporaryFolder()
    let first = try RunningServer(in: folder, environment: ["REVOKED_LOG_LEVEL": "error"])
    let load = try Load(on: first.address, connections: 4)
    // More pages than a start has any use for.
    #expect(eventually { load.record.acknowledged.count >= 300 })
    let acknowledged = load.stop().acknowledged
    // Folds the log into the file, so that it is the file that is read.
    first.signal(SIGTERM)
    #expect(first.exit() == 0)

    let server = try RunningServer(in: folder)
    #expect(try server.get("/readyz").status == 200)
    let original = try Data(contentsOf: URL(filePath: folder.database))
    try write(
      folder, Data(original.prefix(Self.pageSize)) + Data(repeating: 0x5A, count: original.count - Self.pageSize))

    let sent = Load.Sent()
    let body = DeliveryTests.event(session: sent.session, eventId: sent.eventID)
    let refused = try server.post(body, signature: DeliveryTests.sign(body))
    #expect(refused.status == 503)
    #expect(refused.field("Retry-After") != nil)
    #expect(server.log.wait { $0.contains("\(folder.database) is damaged: ") })

    // What was once seen to be damaged is not relied upon, whatever the disk says later.
    try write(folder, original)
    #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 503)
    for path in ["/v1/sessions/\(acknowledged[0].session)", "/v1/sessions/\(sent.session)", "/v1/revocations"] {
      #expect(try server.get(path).status == 503, "\(path)")
    }
    let forwardAuth = try server.get("/v1/forward-auth", fields: "X-Session-Id: \(acknowledged[0].session)\r\n")
    #expect(forwardAuth.status == 503)
    let ready = try server.get("/readyz")
    #expect(ready.status == 503)
    #expect(ready.body.contains("is damaged: "))
    #expect(try server.get("/livez").status == 200)
    // The metrics say what they can, and one line says why they lack the rest.
    for _ in 0..<5 {
      let page = try server.get("/metrics")
      #expect(page.status == 200)
      #expect(page.body.contains("revoked_ready 0\n") && !page.body.contains("revoked_sessions_revoked "))
    }
    #expect(server.log.wait { $0.contains("its metrics are left out") })
    #expect(server.log.text.components(separatedBy: "its metrics are left out").count == 2)
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)

    let mended = try RunningServer(in: folder)
    #expect(try mended.post(body, signature: DeliveryTests.sign(body)).body == #"{"status":"accepted"}"#)
    #expect(try Audit(mended).refused(acknowledged + [sent]) == acknowledged + [sent])
  }

  private static let pageSize = 4096

  /// In place: under the server's own descriptor.
  private func write(_ folder: TemporaryFolder, _ data: Data) throws {
    let file = try FileHandle(forUpdating: URL(filePath: folder.database))
    try file.write(contentsOf: data)
    try file.close()
  }
}
