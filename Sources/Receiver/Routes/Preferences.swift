internal import Bytes
internal import HTTPMessage

/// What a caller would take, as `Accept` and `Accept-Encoding` say it (RFC 9110 §12.5): the names with their weights.
/// Ranges such as `*/*` name nothing: who takes anything gets what everybody gets.
struct Preferences {
  private struct Named {
    let name: Substring
    let version: Substring?
    let weight: Double
  }

  private let named: [Named]

  /// A field that is absent or stands twice names nothing.
  init(_ field: StaticString, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
    guard case .once(let range) = head.value(of: field, in: bytes) else {
      named = []
      return
    }
    let text = String(decoding: bytes.extracting(range).bytesCopied, as: UTF8.self).lowercased()
    named = text.split(separator: ",").compactMap { part in
      let parts = part.split(separator: ";").map { $0.trimmed }
      guard let name = parts.first else { return nil }
      func value(_ parameter: String) -> Substring? {
        parts.dropFirst().first { $0.hasPrefix(parameter + "=") }?.dropFirst(parameter.count + 1)
      }
      return Named(name: name, version: value("version"), weight: value("q").map { Double($0) ?? 0 } ?? 1)
    }
  }

  /// From 0, which refuses it, to 1; `nil` where it is not named. `version`: the one that can be had.
  func weight(of name: String, version: String? = nil) -> Double? {
    let fitting = named.filter { one in
      one.name == name && (version == nil || one.version == nil || one.version.map(String.init) == version)
    }
    return fitting.map(\.weight).max()
  }

  func takes(_ name: String, version: String? = nil) -> Bool { weight(of: name, version: version) ?? 0 > 0 }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let start = drop { $0 == " " || $0 == "\t" }
    return start.lastIndex { $0 != " " && $0 != "\t" }.map { start[...$0] } ?? ""
  }
}
