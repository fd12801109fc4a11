extension ReferenceParser {
  /// `request-line = method SP request-target SP HTTP-version` (RFC 9112 §3).
  static func requestLine(_ line: [UInt8]) throws(Stop) -> ReadRequest {
    guard line.endsInCRLF else { throw .refused(400) }
    let parts = line.dropLast(2).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(Array.init)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTchar), !parts[1].isEmpty,
      parts[1].allSatisfy({ (0x21...0x7e).contains($0) })
    else { throw .refused(400) }

    var request = ReadRequest()
    let known = ["GET", "HEAD", "POST", "OPTIONS", "CONNECT"]
    let method = String(decoding: parts[0], as: UTF8.self)
    request.method = known.contains(method) ? method.lowercased() : "other"

    // HTTP-version = HTTP-name "/" DIGIT "." DIGIT (§2.3)
    guard let version = String(decoding: parts[2], as: UTF8.self).wholeMatch(of: /HTTP\/([0-9])\.([0-9])/) else {
      throw .refused(400)
    }
    guard version.1 == "1" else { throw .refused(505) }
    request.minorVersion = version.2 == "0" ? 0 : 1

    if method == "CONNECT" { throw .refused(501) }
    request.path = try path(String(decoding: parts[1], as: UTF8.self), method: method)
    return request
  }

  /// `origin-form / absolute-form / asterisk-form` (RFC 9112 §3.2), with the characters of RFC 3986 and no others.
  private static func path(_ target: String, method: String) throws(Stop) -> [UInt8] {
    if target == "*", method == "OPTIONS" { return [] }
    let pathAndQuery: Substring
    if target.hasPrefix("/") {
      pathAndQuery = target[...]
    } else {
      guard let scheme = target.firstMatch(of: /^[Hh][Tt][Tt][Pp][Ss]?:\/\//) else { throw .refused(400) }
      let afterScheme = target[scheme.range.upperBound...]
      let authority = afterScheme.prefix { $0 != "/" && $0 != "?" }
      guard !authority.isEmpty, isHost(String(authority)) else { throw .refused(400) }
      pathAndQuery = afterScheme.dropFirst(authority.count)
    }
    let pchar = /(?:[A-Za-z0-9\-._~!$&'()*+,;=:@\/?]|%[0-9A-Fa-f]{2})*/
    guard pathAndQuery.wholeMatch(of: pchar) != nil else { throw .refused(400) }
    return Array(pathAndQuery.prefix { $0 != "?" }.utf8)
  }

  /// `Host = uri-host [ ":" port ]` (RFC 9110 §7.2). Stricter than RFC 3986: no percent-encoding, no IPvFuture, no port
  /// without a host.
  static func isHost(_ text: String) -> Bool {
    text.isEmpty || text.wholeMatch(of: /(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=]+)(?::[0-9]*)?/) != nil
  }
}
