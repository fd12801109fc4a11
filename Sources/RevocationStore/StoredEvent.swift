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
  init(_ row: Row) throws {
    try self.init(
      seq: row.decode(atIndex: 0), name: row.decode(atIndex: 1), body: [UInt8](row.decode(Data.self, atIndex: 3)),
      receivedAt: Timestamp(milliseconds: row.decode(atIndex: 2)))
  }
}
