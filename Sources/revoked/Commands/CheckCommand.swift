internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import RevocationStore

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Says whether sessions are revoked, from the store itself.",
    discussion: "Works while the server runs and when it does not. Exit 0: at least one is revoked; 1: none.")

  @Argument(help: ArgumentHelp("Session ids: the `sid` of a JWT.", valueName: "session-id"))
  var sessions: [String]

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    for text in sessions where SessionID(text) == nil {
      throw ValidationError("\(text.debugDescription) is no session id: 36 characters, a UUID in lower case")
    }
  }

  func run() throws {
    let settings = try options.load()
    do throws(StoreError) {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      var revoked = 0
      for session in sessions.compactMap({ SessionID($0) }) {
        if let revocation = try store.revocation(of: session) {
          revoked += 1
          let event = revocation.eventID.map { " event=\($0.visible())" } ?? ""
          print("\(session) revoked at=\(revocation.revokedAt) by=\(revocation.by.rawValue)\(event)")
        } else {
          print("\(session) not revoked")
        }
      }
      if revoked > 0 { return }
    } catch {
      throw Failure.io(error)
    }
    throw Failure.no
  }
}
