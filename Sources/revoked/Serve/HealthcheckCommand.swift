internal import ArgumentParser
internal import Receiver

struct HealthcheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Asks the running server's /readyz. Exit 0: ready; 1: not.",
    discussion: """
      Finds the server by --private-listen, else by serve.json, which it wrote into its data folder, else by private-listen as it is \
      configured. Made for a container's HEALTHCHECK.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    do {
      let answer = try PlainRequest.get("/readyz", from: settings.runningPrivateListener)
      try Output.line(answer.body.visible(keepingLines: true))
      if answer.status != 200 { throw Failure.no }
    } catch let error as PlainRequest.Problem {
      try Output.line(error.description)
      throw Failure.no
    }
  }
}
