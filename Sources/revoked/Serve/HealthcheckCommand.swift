internal import ArgumentParser
internal import Outgoing
internal import Receiver

struct HealthcheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Asks the running server's /readyz. Exit 0: ready; 1: not.",
    discussion: """
      Finds the server by --private-listen, else by serve.json, which it wrote into its data folder, else by \
      private-listen as it is configured. Made for a container's HEALTHCHECK.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let address = try options.load().runningPrivateListener
    guard var request = OutgoingRequest(.get, "/readyz", at: address) else {
      try Output.line("\(address) is a port that the kernel picks: give the real address as private-listen")
      throw Failure.no
    }
    // Readiness itself gives up after 2 s.
    request.limits.time = .seconds(4)
    do {
      let response = try await HTTPClient.shared.response(to: request)
      try Output.line(String(decoding: response.body, as: UTF8.self).visible(keepingLines: true))
      if response.status != 200 { throw Failure.no }
    } catch let error as OutgoingError {
      try Output.line("\(address) is not reachable: \(error)")
      throw Failure.no
    }
  }
}
