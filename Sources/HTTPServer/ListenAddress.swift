internal import Bytes

/// Where a listener binds: `HOST:PORT`, `[v6]:PORT` or `unix:/path`. Port 0 lets the kernel pick one. `*` is every
/// address of the host, `[::]` as well where the kernel takes IPv4 on it, and a name all of its addresses.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A host (name, IPv4 or IPv6 literal without brackets) and a TCP port.
  case tcp(host: String, port: UInt16)
  /// The path of a unix domain socket; the kernel takes at most 107 bytes.
  case unix(path: String)
  /// A listening socket that the process was started with, as systemd's socket activation does it. The server takes it
  /// over, and shows its real address; no text stands for one.
  case inherited(descriptor: Int32)

  /// `nil` when the text has none of the three forms.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else { return nil }
      self = .unix(path: String(path))
      return
    }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    // `UInt16("+80")` succeeds, hence the check of the digits.
    guard digits.utf8.areDigits, let port = UInt16(digits) else {
      return nil
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(where: { $0 == ":" || $0 == "[" || $0 == "]" }) {
      return nil
    }
    guard !host.isEmpty, !host.utf8.contains(0) else { return nil }
    self = .tcp(host: String(host), port: port)
  }

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    case .inherited(let descriptor): "descriptor \(descriptor)"
    }
  }

  /// The address as a URL, for log lines and default request targets; a unix socket has no URL and stays `unix:/path`.
  public var url: String {
    switch self {
    case .tcp: "http://\(self)"
    case .unix, .inherited: description
    }
  }
}

/// Why a listener could not be set up: one line for the person who starts the server.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// The system's error number, 0 when there is none.
  public let code: Int32

  init(_ what: String, _ code: Int32) {
    self.code = code
    description = "\(what): \(SystemCall.message(code))"
  }

  init(_ description: String) {
    self.code = 0
    self.description = description
  }
}
