import Foundation
import TestSupport
import Testing

@Suite("The data folder of a running server", .timeLimit(.minutes(5)))
struct DataFolderTests {
  private let event = DeliveryTests.event(session: DeliveryTests.session)

  @Test(arguments: ["there", "gone", "12345\n"])
  func `lets no second server in, also when its lock file was removed or replaced`(lock: String) throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    if lock != "there" { try FileManager.default.removeItem(atPath: folder.data + "/lock") }
    if lock.hasSuffix("\n") { try Data(lock.utf8).write(to: URL(filePath: folder.data + "/lock")) }
    for _ in 0..<2 {
      let second = try Executable.serve([], environment: StartupTests.settings(folder))
      #expect(second.status == 74)
      #expect(second.errors.contains("\(folder.data) is in use by another server"), "\(second.errors)")
    }
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    #expect(try server.get("/readyz").status == 200)
    server.signal(SIGKILL)
    _ = server.exit()
    let successor = try RunningServer(in: folder)
    #expect(try successor.get("/v1/sessions/\(DeliveryTests.session)").body.contains(#""revoked":true"#))
  }

  @Test
  func `emptied or moved away has everything answered 503, lets no second server in, and passes for no new store`()
    throws
  {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.data) {
      try FileManager.default.removeItem(atPath: "\(folder.data)/\(file)")
    }
    #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 503)
    for path in ["/v1/sessions/\(DeliveryTests.session)", "/v1/revocations", "/v1/forward-auth"] {
      let answer = try server.get(path, fields: "X-Session-Id: \(DeliveryTests.session)\r\n")
      #expect(answer.status == 503, "\(path) \(answer.body)")
    }
    let ready = try server.get("/readyz")
    #expect(ready.status == 503 && ready.body.contains("was removed or replaced while it was open"), "\(ready.body)")
    let second = try Executable.serve([], environment: StartupTests.settings(folder))
    #expect(second.status == 74 && second.errors.contains("is in use by another server"), "\(second.errors)")
    #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.data).contains("revoked.sqlite"))
    server.signal(SIGKILL)
    _ = server.exit()
    let refused = try Executable.serve(["--set", "new-store=refuse"], environment: StartupTests.settings(folder))
    #expect(refused.status == 74 && refused.errors.contains("there is no store at"), "\(refused.errors)")
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to become another user"), arguments: [0o700, 0o755, 0o777])
  func `that belongs to another user is named once, with its owner, its mode and who asks`(mode: Int) throws {
    let store = try SeededStore(events: 1)
    for path in [store.folder.path, store.folder.data] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    let serve = ["serve", "--listen", "127.0.0.1:0", "--private-listen", "127.0.0.1:0"]
    for command in [["check", store.sessions[0]], ["events", "list"], ["store", "verify"], ["init"], serve] {
      let process = Executable.process([], ["DYNAMIC_WEBHOOK_SECRET": Executable.secret])
      process.executableURL = URL(filePath: "/usr/bin/setpriv")
      process.arguments =
        ["--reuid", "65534", "--regid", "65534", "--clear-groups", Executable.url.path] + command
        + ["--data", store.folder.data]
      let result = try Executable.finish(process)
      #expect(result.status == 74, "\(command) \(result)")
      #expect(result.errors.components(separatedBy: "belongs to uid 0").count == 2, "\(command) \(result.errors)")
      #expect(result.errors.contains("runs as uid 65534"), "\(command) \(result.errors)")
    }
  }
}
