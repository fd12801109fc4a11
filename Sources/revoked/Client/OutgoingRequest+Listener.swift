internal import HTTPServer
internal import Outgoing

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
      // A wildcard is where to listen, not where to connect. `::` may take IPv4, and a host may take it without having ::1:
      // libcurl tries both addresses of localhost.
      let reachable = host == "0.0.0.0" || host == "*" ? "127.0.0.1" : host == "::" ? "localhost" : host
      self.init(method, ListenAddress.tcp(host: reachable, port: port).url + path)
    }
  }
}
