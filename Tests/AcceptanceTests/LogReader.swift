import Foundation
import HTTPServer

/// Reads a process' log to its end, on a thread of its own, and lets a test wait for what it says.
final class LogReader: @unchecked Sendable {
  // `text` and `isAtEnd` are read and written under the condition's lock.
  private let condition = NSCondition()
  private var received: [UInt8] = []
  private var isAtEnd = false

  init(_ handle: FileHandle) {
    Thread.detachNewThread { [self] in
      // `read(upToCount:)` would wait for the whole count.
      while case let chunk = handle.availableData, !chunk.isEmpty {
        condition.withLock { received += chunk }
        condition.broadcast()
      }
      condition.withLock { isAtEnd = true }
      condition.broadcast()
    }
  }

  var text: String { condition.withLock { String(decoding: received, as: UTF8.self) } }

  /// Everything, once the process has ended.
  var wholeText: String {
    _ = wait { _ in false }
    return text
  }

  /// How long a test waits for what comes at once, in seconds. Only to tell a slow machine from one that hangs.
  static let patience = 100.0

  /// False if the process ends, or the time is up, before the condition holds.
  func wait(until isEnough: (String) -> Bool) -> Bool {
    let limit = Date(timeIntervalSinceNow: Self.patience)
    condition.lock()
    defer { condition.unlock() }
    while true {
      if isEnough(String(decoding: received, as: UTF8.self)) { return true }
      if isAtEnd || !condition.wait(until: limit) { return false }
    }
  }

  func address(after marker: String) -> ListenAddress? {
    var found: ListenAddress?
    _ = wait { text in
      guard let start = text.range(of: marker)?.upperBound, let end = text[start...].firstIndex(where: { $0 == " " })
      else {
        return false
      }
      found = ListenAddress(String(text[start..<end]).replacing("http://", with: ""))
      return true
    }
    return found
  }
}
