/// What a server makes of the next bytes of a connection.
enum Outcome: Equatable, CustomStringConvertible {
  case request(ReadRequest)
  /// The status that refuses the request; nothing is read after it.
  case refused(Int)
  /// A request has begun and the bytes have ended.
  case incomplete
  /// What no input may bring about, whatever it is.
  case broken(String)

  var description: String {
    switch self {
    case .request(let request): request.description
    case .refused(let status): "\(status)"
    case .incomplete: "incomplete"
    case .broken(let promise): "broken: \(promise)"
    }
  }
}
