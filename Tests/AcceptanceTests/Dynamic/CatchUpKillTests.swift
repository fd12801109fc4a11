import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("A server that is killed while it catches up", .timeLimit(.minutes(30)))
struct CatchUpKillTests {
  private static let rounds = LongRun.isAsked ? 30 : 5

  /// Kills a process at a request of its own. Until it is set, requests wait.
  private final class Trap: Sendable {
    private enum State {
      case holding
      case set(pid: pid_t, requests: Int)
      case open
    }

    private let state = Mutex(State.holding)

    func set(_ pid: pid_t, after requests: Int) { state.withLock { $0 = .set(pid: pid, requests: requests) } }
    func open() { state.withLock { $0 = .open } }

    func spring() {
      _ = eventually {
        state.withLock { state in
          switch state {
          case .holding: return false
          case .open: return true
          case .set(let pid, let requests):
            if requests <= 1 { kill(pid, SIGKILL) }
            state = requests <= 1 ? .holding : .set(pid: pid, requests: requests - 1)
            return true
          }
        }
      }
    }
  }

  @Test func `loses nothing, and has nothing twice`() throws {
    var random = SplitMix(seed: LongRun.seed(for: "catch-up"))
    let dynamic = try StandInDynamic()
    let folder = try TemporaryFolder()
    let trap = Trap()
    dynamic.change {
      $0.fault = { _ in
        trap.spring()
        return nil
      }
    }
    var revoked: [StandInDynamic.Revoked] = []
    for _ in 0..<Self.rounds {
      revoked += try dynamic.revoke(20, asMessages: true) + dynamic.revoke(15, asMessages: false)
      let server = try dynamic.server(in: folder, ["REVOKED_LOG_LEVEL": "error"])
      // Its first check has more requests than that. The page before it is being stored meanwhile.
      trap.set(server.processIdentifier, after: .random(in: 1...10, using: &random))
      #expect(server.exit() == SIGKILL)
    }
    trap.open()
    let server = try dynamic.server(in: folder, ["REVOKED_HANDLERS_AUDIT_KIND": "log"])
    #expect(try eventually { try (server.metric("revoked_dynamic_checked_timestamp_seconds") ?? 0) > 0 })
    #expect(try server.refused(revoked) == revoked.count)
    let sessions = revoked.map(\.session).sorted()
    #expect(try server.fed().sorted() == sessions)
    let events = try Executable.run(
      ["events", "list", "--json", "--limit", "100000"], environment: ["REVOKED_DATA": folder.data])
    #expect(events.output.split(separator: "\n").count == sessions.count)
  }
}
