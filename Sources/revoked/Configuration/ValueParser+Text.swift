internal import Foundation
internal import HTTPMessage
internal import Receiver

extension ValueParser where Value == String {
  /// The webhook's path is compared byte for byte with the request target, so it must be spelled as one.
  static var webhookPath: Self {
    Self("a path that starts with / and holds only what a URL's path may; percent-encode the rest") {
      let path = $0.utf8
      // Asked of the request parser itself: what it refuses, or reads as another path, could never match.
      var head = RequestHead()
      let request = Array("POST \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
      guard path.first == UInt8(ascii: "/"), (try? head.parse(request.span, limits: MessageLimits())) == .complete,
        head.path.range.count == path.count
      else { return nil }
      return $0
    }
    .refusing("/healthz", "is the public listener's own health check; take another path")
  }

  static var folder: Self {
    Self("the path of a folder") { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
  }

  static var file: Self {
    Self("the path of a file") { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
  }

  private func refusing(_ taken: String, _ reason: String) -> Self {
    Self { (value) throws(Mismatch) in
      let text = try parse(value)
      if text == taken { throw Mismatch("\(text) \(reason)") }
      return text
    }
  }
}

extension ValueParser where Value == StoreURL {
  /// Never echoed, since it may hold a password.
  static var storeURL: Self {
    ValueParser { (value) throws(Mismatch) in
      guard let url = StoreURL(try value.single) else {
        throw Mismatch("is not a URL that begins with postgres://")
      }
      if let problem = url.problem { throw Mismatch(problem) }
      return url
    }
  }
}

extension ValueParser where Value == [String] {
  /// Event names, or `*` in place of the last parts: `user.session.*`, `*`. Outside the file they are separated by
  /// commas or white space.
  static var eventPatterns: Self {
    ValueParser { (value) throws(Mismatch) in
      let patterns = value.several { $0.split { $0 == "," || $0.isWhitespace }.map(String.init) }
      guard !patterns.isEmpty else { throw Mismatch("names no event; write user.session.* or leave it out") }
      for pattern in patterns where !isPattern(pattern) {
        throw Mismatch(pattern, isNot: "an event's name or a pattern such as user.session.*")
      }
      return patterns
    }
  }

  private static func isPattern(_ text: String) -> Bool {
    var parts = text.split(separator: ".", omittingEmptySubsequences: false)
    if parts.last == "*" { parts.removeLast() }
    return !text.isEmpty
      && parts.allSatisfy { part in
        !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
      }
  }

  /// A program and its arguments. There is no shell, so a file must say where each argument ends; outside the file it
  /// is a JSON array, or words.
  static var command: Self {
    ValueParser { (value) throws(Mismatch) in
      let words: [String]
      switch (value.content, value.source) {
      case (.list(let list), _): words = list
      case (.text(let text), .file):
        throw Mismatch(text, isNot: #"an array, such as ["/usr/bin/logger", "-t", "revoked"]"#)
      case (.text(let text), _) where text.hasPrefix("["):
        guard let list = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
          throw Mismatch(text, isNot: "a JSON array of texts")
        }
        words = list
      case (.text(let text), _): words = text.split(whereSeparator: \.isWhitespace).map(String.init)
      }
      guard let program = words.first, !program.isEmpty else { throw Mismatch("names no program") }
      guard !words.contains(where: { $0.utf8.contains(0) }) else { throw Mismatch("holds a NUL character") }
      return words
    }
  }
}

extension ValueParser where Value == URL {
  /// An `http` or `https` URL with a host; whether `http` will do is the handler's `insecure`.
  static var url: Self {
    Self { (value) throws(Mismatch) in
      let text = try value.single
      // Not echoed from here on: a URL may carry credentials.
      guard let parts = URLComponents(string: text), let url = parts.url, let host = parts.host, !host.isEmpty,
        let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http"
      else { throw Mismatch("is not a URL such as https://example.com/revoked") }
      guard parts.user == nil, parts.password == nil else {
        throw Mismatch("holds a user or a password; deliveries are signed instead")
      }
      guard parts.fragment == nil else { throw Mismatch("holds a #fragment, which is never sent") }
      return url
    }
  }
}

extension URL {
  /// Whether the host is this one or an address of a private network (RFC 1918, RFC 4193). What a name stands for may
  /// change, so that no other name counts.
  var isPrivate: Bool {
    guard let host = host()?.lowercased() else { return false }
    if host == "localhost" { return true }
    if host.contains(":") {
      var address = in6_addr()
      // The pointer lives for the call.
      guard unsafe inet_pton(AF_INET6, host, &address) == 1 else { return false }
      let bytes = unsafe withUnsafeBytes(of: address) { unsafe [UInt8]($0) }
      return bytes.first.map { $0 & 0xFE == 0xFC } == true || bytes == [UInt8](repeating: 0, count: 15) + [1]
    }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    // "010" is 8 for some and 10 for others.
    let numbers = parts.compactMap { $0 == "0" || !$0.hasPrefix("0") ? UInt8($0) : nil }
    guard parts.count == 4, numbers.count == 4, !host.contains("+") else { return false }
    return switch (numbers[0], numbers[1]) {
    case (127, _), (10, _), (192, 168), (172, 16...31): true
    default: false
    }
  }
}
