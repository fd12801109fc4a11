internal import ArgumentParser
internal import DynamicEvents
internal import Foundation

/// A time as people write it on a command line: RFC 3339, or how long ago.
enum PastTime {
  static func parse(_ text: String) throws -> Timestamp {
    if let time = Timestamp(text) { return time }
    guard let written = WrittenDuration(text) else {
      throw ValidationError("a time is written as 2026-10-01T09:00:00Z, or how long ago it was: 30m, 2h, 7d")
    }
    let (seconds, attoseconds) = written.duration.components
    // A written duration is less than 2^63 milliseconds, and now is after 1970.
    return Timestamp(
      milliseconds: Timestamp(Date()).milliseconds - (seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}
