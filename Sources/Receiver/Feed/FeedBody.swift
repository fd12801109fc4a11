internal import DynamicEvents
internal import HTTPMessage
internal import RevocationStore
internal import Synchronization

/// The lines of one answer, read as they are sent: a caller ten million entries behind costs one page of memory, and holds up neither the
/// writer nor its checkpoints, because between two pages no read is open.
final class FeedBody: ResponseBody {
  /// Rows of a page: about 18 kB, and a read of less than a millisecond.
  private static let page = 128

  private struct State {
    var position: Int64
    var remaining: Int
  }

  private let service: Service
  private let state: Mutex<State>

  init(_ service: Service, after position: Int64, limit: Int?) {
    self.service = service
    state = Mutex(State(position: position, remaining: limit ?? .max))
  }

  /// How far the store has been read, beyond the last line where what follows it has expired.
  var position: Int64 { state.withLock { $0.position } }

  func appendNext(to output: inout [UInt8]) -> BodyProgress {
    do throws(StoreError) {
      return try state.withLock { state throws(StoreError) in
        let page = try service.store.feed(after: state.position, limit: Self.page, at: service.now())
        for entry in page.entries.prefix(state.remaining) { entry.appendLine(to: &output) }
        state.position = page.end
        if state.remaining <= page.entries.count { return .last }
        state.remaining -= page.entries.count
        return page.isLast ? .last : .more
      }
    } catch {
      service.lookUpFailed(error)
      return .failed
    }
  }
}

extension FeedEntry {
  /// `{"cursor":"…","sessionId":"…","revokedAt":"…","expiresAt":"…"}`, or for a cut-off
  /// `{"cursor":"…","userId":"…","before":"…","expiresAt":"…"}`, and a line feed. None of the values needs escaping.
  fileprivate func appendLine(to output: inout [UInt8]) {
    output.append(contentsOf: #"{"cursor":""#)
    cursor.append(to: &output)
    switch subject {
    case .session(let session, let revokedAt):
      output.append(contentsOf: #"","sessionId":""#)
      session.append(to: &output)
      output.append(contentsOf: #"","revokedAt":""#)
      revokedAt.append(to: &output)
    case .cutOff(let cutOff):
      output.append(contentsOf: #"",""#)
      output.append(contentsOf: cutOff.kind.memberName.utf8)
      output.append(contentsOf: #"":""#)
      cutOff.id.appendUUID(to: &output)
      output.append(contentsOf: #"","before":""#)
      cutOff.before.append(to: &output)
    }
    output.append(contentsOf: #"","expiresAt":""#)
    expiresAt.append(to: &output)
    output.append(contentsOf: "\"}\n")
  }
}
