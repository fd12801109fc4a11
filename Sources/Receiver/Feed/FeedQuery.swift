internal import Bytes
internal import HTTPMessage
internal import Storage

/// What a caller of `/v1/revocations` asks for. Strict: a parameter that was misspelt would silently be answered with
/// something else.
struct FeedQuery: Sendable {
  /// Below the 60 s after which proxies give an answer up (nginx, AWS' and Google's balancers by default).
  static let longestWait = 50

  var after: FeedCursor?
  /// Entries; nil: all there are.
  var limit: Int?
  /// Seconds.
  var wait = 0

  struct Malformed: Error {
    /// A fixed sentence; never holds input.
    let detail: String
  }

  init(_ query: Span<UInt8>) throws(Malformed) {
    var isGiven: (after: Bool, limit: Bool, wait: Bool) = (false, false, false)
    var start = 0
    while start < query.count {
      var end = start
      while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
      let pair = query.extracting(start..<end)
      start = end + 1
      if let value = pair.value(of: "after="), !isGiven.after {
        isGiven.after = true
        // A caller that has no cursor yet.
        if value.isEmpty { continue }
        guard let cursor = FeedCursor(pair.extracting(value)) else {
          throw Malformed(detail: "after is not a cursor: pass one back as an entry had it")
        }
        after = cursor
      } else if let value = pair.value(of: "limit="), !isGiven.limit {
        guard let number = pair.extracting(value).decimal, number > 0 else {
          throw Malformed(detail: "limit is a whole number of entries, at least 1")
        }
        (limit, isGiven.limit) = (number, true)
      } else if let value = pair.value(of: "wait="), !isGiven.wait {
        guard let number = pair.extracting(value).decimal else {
          throw Malformed(detail: "wait is a whole number of seconds")
        }
        // A caller that asks for more is answered sooner, and asks again.
        (wait, isGiven.wait) = (min(number, Self.longestWait), true)
      } else {
        throw Malformed(detail: "the query takes after, limit and wait, each once")
      }
    }
  }
}

extension Span<UInt8> {
  /// What follows the name and its `=`.
  fileprivate func value(of name: StaticString) -> Range<Int>? {
    let length = name.utf8CodeUnitCount
    return count >= length && extracting(0..<length).equals(name) ? length..<count : nil
  }

  /// One to nine digits and nothing else.
  fileprivate var decimal: Int? {
    guard (1...9).contains(count) else { return nil }
    var number = 0
    for index in indices {
      guard self[index].isDigit else { return nil }
      number = number * 10 + Int(self[index] - UInt8(ascii: "0"))
    }
    return number
  }
}
