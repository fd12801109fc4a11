#if PostgreSQL
  import Foundation
  import TestSupport
  import Testing

  /// Servers on one database that were given one data folder, as by a copied unit file or a shared volume.
  @Suite(.timeLimit(.minutes(2))) struct SharedFolderTests {
    @Test func `a second server in the folder does without it, and leaves the first one's commands alone`() throws {
      let folder = try TemporaryFolder()
      let script = #"echo begun >> "$0"; while ! [ -e "$0-end" ]; do sleep 0.02; done"#
      let record = folder.path + "/record"
      let command = try JSONEncoder().encode(["/bin/sh", "-c", script, record])
      var environment = StartupTests.settings(folder)
      environment["REVOKED_STORE"] = try PostgreSQLServer.shared().makeDatabaseURL()
      environment["REVOKED_HANDLERS_AUDIT_KIND"] = "exec"
      environment["REVOKED_HANDLERS_AUDIT_COMMAND"] = String(decoding: command, as: UTF8.self)
      let server = try RunningServer(in: folder, environment: environment)
      let event = DeliveryTests.event(session: DeliveryTests.session)
      #expect(try server.post(event, signature: DeliveryTests.sign(event)).status == 200)
      #expect(eventually { FileManager.default.fileExists(atPath: record) })

      let addresses = try Data(contentsOf: URL(filePath: folder.data + "/serve.json"))
      let second = try RunningServer(in: folder, environment: environment)
      #expect(second.log.text.contains("attempts under way cannot be noted"))
      #expect(second.log.text.contains("is in use by another server (process \(server.processIdentifier))"))
      #expect(try second.get("/readyz").status == 200)
      second.signal(SIGTERM)
      #expect(second.end() == 0)
      // Commands ask the first one by it.
      #expect(try Data(contentsOf: URL(filePath: folder.data + "/serve.json")) == addresses)

      _ = try folder.write("", to: "record-end")
      #expect(try eventually { try server.metric(#"revoked_deliveries_pending{handler="audit"}"#) == 0 })
      #expect(try String(contentsOfFile: record, encoding: .utf8) == "begun\n")
      server.signal(SIGKILL)
      _ = server.exit()
      let successor = try RunningServer(in: folder, environment: environment)
      #expect(try successor.get("/readyz").status == 200)
    }
  }
#endif
