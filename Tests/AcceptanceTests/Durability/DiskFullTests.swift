import Foundation
import TestSupport
import Testing

@Suite("A full disk", .timeLimit(.minutes(5)))
struct DiskFullTests {
  @Test(.enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
  func `answers 503 and stores nothing of that, keeps every 200, and accepts again once there is space`() throws {
    let disk = try TinyDisk(megabytes: 40)
    try disk.writeBallast(bytes: 36 << 20)
    let server = try RunningServer(in: disk.folder, environment: ["REVOKED_LOG_LEVEL": "notice"])
    let filling = try Load(on: server.address, connections: 4)
    // A small batch may still fit where a larger one did not: it is full once many in a row were refused.
    var (accepted, refused) = (0, 0)
    let isFull = eventually {
      let record = filling.record
      if record.acknowledged.count > accepted {
        (accepted, refused) = (record.acknowledged.count, record.refused.count)
      }
      return record.refused.count >= refused + 300
    }
    try #require(isFull)
    let first = filling.stop()
    let full = try Load(on: server.address, connections: 4)
    #expect(eventually { full.record.refused.count >= 200 })
    #expect(try server.get("/readyz").status == 503)
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 503)
    #expect(server.log.wait { $0.contains("no space left to write") })
    let second = full.stop()
    #expect(first.wrong + second.wrong == [])
    #expect(first.unanswered + second.unanswered == [])
    #expect(second.acknowledged == [])
    let audit = try Audit(server)
    #expect(try audit.refused(first.acknowledged) == first.acknowledged)
    #expect(try audit.refused(first.refused + second.refused) == [])

    try disk.removeBallast()
    #expect(try server.get("/readyz").status == 200)
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    let later = try Load(on: server.address, connections: 4)
    #expect(eventually { later.record.acknowledged.count >= 100 })
    let third = later.stop()
    #expect(server.log.wait { $0.contains("the store commits again") })
    #expect(third.refused == [] && third.wrong == [])

    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    let restarted = try RunningServer(in: disk.folder)
    let kept = first.acknowledged + third.acknowledged
    #expect(try Audit(restarted).refused(kept) == kept)
    #expect(try Audit(restarted).refused(first.refused + second.refused) == [])
    #expect(try restarted.metric("revoked_sessions_revoked") == Double(kept.count))
  }

  @Test(.enabled(if: TinyDisk.isPossible, "mounting a tmpfs needs root"))
  func
    `keeps no server from starting and refusing what is revoked, also when a handler is gone that had written there`()
    throws
  {
    let disk = try TinyDisk(megabytes: 4)
    let server = try RunningServer(
      in: disk.folder, environment: ["REVOKED_HANDLERS_A_KIND": "log", "REVOKED_HANDLERS_B_KIND": "log"])
    let load = try Load(on: server.address, connections: 1)
    #expect(eventually { load.record.acknowledged.count >= 3 })
    let record = load.stop()
    server.signal(SIGKILL)
    #expect(server.exit() == SIGKILL)
    // As much as fits.
    #expect(throws: (any Error).self) { try disk.writeBallast(bytes: 8 << 20) }
    let restarted = try RunningServer(in: disk.folder, environment: ["REVOKED_HANDLERS_A_KIND": "log"])
    #expect(try restarted.get("/readyz").status == 503)
    #expect(try Audit(restarted).refused(record.acknowledged) == record.acknowledged)
  }

  /// What is mapped into memory must be overwritten where it is: else the kernel finds no space for it, and ends the
  /// process by SIGBUS.
  @Test(.enabled(if: TinyDisk.isBtrfsPossible, "mounting a btrfs needs root, mkfs.btrfs and a loop device"))
  func `ends no server on a file system that writes elsewhere what is overwritten`() throws {
    let disk = try TinyDisk(btrfsMegabytes: 112)
    let server = try RunningServer(
      in: disk.folder,
      environment: ["REVOKED_HANDLERS_A_KIND": "exec", "REVOKED_HANDLERS_A_COMMAND": #"["/bin/false"]"#])
    let load = try Load(on: server.address, connections: 1)
    #expect(eventually { load.record.acknowledged.count >= 3 })
    let record = load.stop()
    try disk.writeBallast(bytes: 1)
    try disk.fill()
    // The log has room for a while.
    let full = try Load(on: server.address, connections: 2)
    #expect(eventually { full.record.refused.count >= 100 })
    for _ in 0..<5 {
      // Clean pages are what the kernel needs space for.
      try disk.sync()
      #expect(try Audit(server).refused(record.acknowledged) == record.acknowledged)
    }
    let second = full.stop()
    #expect(second.wrong == [] && second.unanswered == [])
    #expect(eventually { (try? server.metric(#"revoked_deliveries_total{handler="a",outcome="failed"}"#)) ?? 0 > 0 })
    #expect(try server.get("/readyz").status == 503)
    try disk.removeBallast()
    try disk.sync()
    #expect(try eventually { try server.get("/readyz").status == 200 })
  }
}
