/// One HTTP request to another host, and how much its response may cost.
package struct OutgoingRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  package var method: Method
  /// `http` or `https`. An IPv6 address stands in brackets.
  package var url: String
  /// A unix domain socket to connect to instead of the URL's host.
  package var socketPath: String?
  package var fields: [(name: String, value: String)] = []
  /// Sent with POST and PUT, also when it is empty.
  package var body: [UInt8] = []
  /// Whether it may reach the peer twice. Only then it is sent again by itself when a kept connection ends before the
  /// first byte of a response, because the peer may have read it.
  package var isIdempotent: Bool
  package var limits = OutgoingLimits()
  /// A file with the certificate authorities to trust instead of the system's.
  package var authorities: String?

  package init(_ method: Method, _ url: String) {
    self.method = method
    self.url = url
    isIdempotent = method != .post
  }
}

/// What an exchange may take, whatever the peer does.
package struct OutgoingLimits: Sendable {
  /// Until the connection stands, TLS included. A lost first packet is sent again after 1, 3 and 7 seconds.
  package var connectTime = Duration.seconds(10)
  /// From the begin to the last byte of the response.
  package var time = Duration.seconds(30)
  /// Of the response's head, with those of all interim responses and the trailer.
  package var headBytes = 65_536
  /// Of the response's body. One that ends within them lets the connection be used again.
  package var bodyBytes = 65_536
  /// Whether the body is wanted. If not, it is read and dropped.
  package var keepsBody = true

  package init() {}
}
