internal import ArgumentParser
internal import Receiver
internal import RevocationStore

struct ShowDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows dead letters with all that is known of them, and the events' bodies.",
    discussion: "A body may hold personal data. Exit 1 if one of the ids is no dead letter's.")

  @Argument(help: ArgumentHelp("As `dead list` shows it.", valueName: "id"), transform: DeadLetterArgument.parse)
  var ids: [DeadLetterID]

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    do {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      for (index, letter) in try DeadLetterArgument.letters(of: ids, store).enumerated() {
        let report = DeadLetterReport(letter)
        let body = BodyText(bytes: try store.event(letter.id.event)?.body ?? [])
        if json {
          print(JSONLine.text(WithBody(report: report, body: body)))
        } else {
          print((index > 0 ? "\n" : "") + report.lines.joined(separator: "\n") + "\n\n" + body.visible)
        }
      }
    } catch let error as StoreError {
      throw Failure.io(error)
    }
  }
}
