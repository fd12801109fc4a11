internal import ArgumentParser
internal import HTTPServer
internal import Outgoing
internal import Receiver
internal import Signature

/// The flags of a command that makes requests to other hosts.
struct OutgoingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The certificate authorities to trust instead of the system's (tls.ca-file).", valueName: "file")
  )
  var cacert: String?

  @OptionGroup var options: ConfigurationOptions

  func load(requiring: Set<Settings.Requirement> = []) throws -> Settings {
    var options = options
    if let cacert { options.settings.append("tls.ca-file=\(cacert)") }
    return try options.load(requiring: requiring)
  }
}

extension OutgoingRequest {
  /// A request to a listener of our own, from the same host.
  ///
  /// Returns `nil` for a port that the kernel picks, and for an inherited socket: neither can be known here.
  init?(_ method: Method, _ path: String, at address: ListenAddress) {
    switch address {
    case .inherited, .tcp(_, port: 0): return nil
    case .unix(let socket):
      self.init(method, "http://localhost" + path)
      socketPath = socket
    case .tcp(let host, let port):
      // A wildcard is where to listen, not where to connect. `::` may take IPv4, and a host may take it without having
      // ::1: libcurl tries both addresses of localhost.
      let reachable = host == "0.0.0.0" || host == "*" ? "127.0.0.1" : host == "::" ? "localhost" : host
      self.init(method, ListenAddress.tcp(host: reachable, port: port).url + path)
    }
  }
}

extension Settings {
  /// A request to the running server's private listener, with the private token where one is configured; `nil` for a
  /// port that the kernel picked and that is not written down.
  func request(_ method: OutgoingRequest.Method, _ path: String) -> OutgoingRequest? {
    guard var request = OutgoingRequest(method, path, at: runningPrivateListener) else { return nil }
    if let token = receiver.privateToken {
      // A copy that goes with the request; the process ends soon.
      let text = token.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
      request.fields.append(("X-Revoked-Token", text))
    }
    return request
  }
}
