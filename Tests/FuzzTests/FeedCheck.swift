import Storage

// The fuzzer of libFuzzer compiles the reader itself.
#if canImport(Receiver)
  @testable import Receiver
#endif

/// What must hold of a query of the feed and of a cursor, for any bytes whatsoever.
enum FeedCheck {
  /// A cursor is taken exactly when it is one that is given out, and is then written as it came.
  static func cursorViolation(_ input: [UInt8]) -> String? {
    let text = String(decoding: input, as: UTF8.self)
    let match = text.wholeMatch(of: /([0-9a-f]{8})-(0|[1-9][0-9]{0,18})/)
    let expected = match.flatMap { match in
      UInt32(match.output.1, radix: 16).flatMap { epoch in
        Int64(match.output.2).map { FeedCursor(epoch: epoch, seq: $0) }
      }
    }
    let cursor = FeedCursor(input.span)
    guard cursor == expected else {
      return "read as \(String(describing: cursor)), not \(String(describing: expected))"
    }
    guard let cursor else { return nil }
    var written: [UInt8] = []
    cursor.append(to: &written)
    return written == input ? nil : "written as \(String(decoding: written, as: UTF8.self))"
  }

  /// A query is taken exactly when it gives each parameter once at most, each with a value of its kind.
  static func queryViolation(_ input: [UInt8]) -> String? {
    let expected = reference(input)
    let found: Query?
    do throws(FeedQuery.Malformed) {
      let query = try FeedQuery(input.span)
      found = Query(after: query.after, limit: query.limit, wait: query.wait)
    } catch {
      guard error.detail.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") }) else {
        return "the refusal holds input: \(error.detail)"
      }
      found = nil
    }
    return found == expected ? nil : "read as \(String(describing: found)), not \(String(describing: expected))"
  }

  private struct Query: Equatable {
    var after: FeedCursor?
    var limit: Int?
    var wait = 0
  }

  /// The same by splitting and looking up.
  private static func reference(_ input: [UInt8]) -> Query? {
    var parts = input.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map(Array.init)
    // A last `&` begins no parameter.
    if parts.last?.isEmpty == true { parts.removeLast() }
    var values: [String: [UInt8]] = [:]
    for part in parts {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      let name = String(decoding: part[..<equals], as: UTF8.self)
      guard values.updateValue(Array(part[(equals + 1)...]), forKey: name) == nil else { return nil }
    }
    guard Set(values.keys).isSubset(of: ["after", "limit", "wait"]) else { return nil }
    var query = Query()
    if let after = values["after"], !after.isEmpty {
      guard let cursor = FeedCursor(after.span) else { return nil }
      query.after = cursor
    }
    if let limit = values["limit"] {
      guard let number = number(limit), number > 0 else { return nil }
      query.limit = number
    }
    if let wait = values["wait"] {
      guard let number = number(wait) else { return nil }
      query.wait = min(number, FeedQuery.longestWait)
    }
    return query
  }

  private static func number(_ digits: [UInt8]) -> Int? {
    guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
