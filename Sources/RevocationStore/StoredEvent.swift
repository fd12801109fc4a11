package import DynamicEvents
internal import Foundation
internal import GRDB

/// An event as a handler gets it.
package struct StoredEvent: Hashable, Sendable {
  /// Its place in the order of arrival.
  package var seq: Int64
  package var name: String
  /// The body as it was signed.
  package var body: [UInt8]
  package var receivedAt: Timestamp
}

extension StoredEvent {
  static let columns = "event.seq, event.name, event.received_at, event.body"

  /// Reads a row that begins with `columns`.
  init(_ row: Row) {
    self.init(
      seq: row[0], name: row[1], body: [UInt8](row[3] as Data), receivedAt: Timestamp(milliseconds: row[2]))
  }
}
