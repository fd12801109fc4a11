internal import ArgumentParser
internal import DynamicEvents
internal import Storage

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Says whether sessions are revoked, from the store itself.",
    discussion: "Works while the server runs and when it does not. Exit 0: at least one is revoked; 1: none.")

  @Argument(help: ArgumentHelp("Session ids: the `sid` of a JWT.", valueName: "session-id"))
  var sessions: [String]

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    for text in sessions where SessionID(text) == nil {
      throw ValidationError("\(text.debugDescription) is no session id: a UUID of 36 characters")
    }
  }

  func run() throws {
    let isAnyRevoked = try options.withStore(.inspect) { store, _ in
      let ids = sessions.compactMap { SessionID($0) }
      let revocations = try store.revocations(ofEach: ids)
      for (session, revocation) in zip(ids, revocations) {
        if let revocation {
          let event = revocation.eventID.map { " eventId=\($0.visible())" } ?? ""
          try Output.line("\(session) revoked at=\(revocation.revokedAt) by=\(revocation.by.rawValue)\(event)")
        } else {
          try Output.line("\(session) not revoked")
        }
      }
      return revocations.contains { $0 != nil }
    }
    if !isAnyRevoked { throw Failure.no }
  }
}
