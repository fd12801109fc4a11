internal import Bytes
internal import CZlib
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

extension Response {
  /// Below this, what is saved is less than the fields that say so, and a packet is one either way.
  private static let leastToCompress = 1024

  /// The same in gzip, where that is wanted and worth it. For answers that are made away from the loops: it takes a
  /// millisecond for 50 KB.
  func compressed(if isWanted: Bool) -> Response {
    guard isWanted, rest == nil, body.count >= Self.leastToCompress, let bytes = Self.gzip(body),
      bytes.count < body.count
    else { return self }
    return Response(self, coding: "gzip", body: bytes)
  }

  /// `nil`: there is no memory for it.
  private static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
    // The pointers are valid for the call that uses them, and zlib keeps its own within `stream`, which ends here.
    var stream = unsafe z_stream()
    // 15 is the largest window, and 16 more asks for gzip's own header and checksum.
    let began = unsafe deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard began == Z_OK, let most = unsafe UInt32(exactly: deflateBound(&stream, UInt(bytes.count))) else { return nil }
    defer { unsafe deflateEnd(&stream) }
    let output = unsafe [UInt8](unsafeUninitializedCapacity: Int(most)) { output, count in
      unsafe bytes.withUnsafeBufferPointer { input in
        // zlib reads what it is given, although it does not say so in its types.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.avail_in = UInt32(input.count)
        unsafe stream.next_out = output.baseAddress
        unsafe stream.avail_out = most
        count = unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(most - stream.avail_out) : 0
      }
    }
    return output.isEmpty ? nil : output
  }
}
