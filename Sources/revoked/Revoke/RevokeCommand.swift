internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import RevocationStore

struct RevokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Refuses a session, all of a user's, or all of an environment's.",
    discussion: """
      Takes effect here when the command returns, whether a server runs or not, and nothing takes it back. Dynamic is not \
      asked: revoke there as well, by its dashboard or API.
      """,
    subcommands: [RevokeSessionCommand.self, RevokeUserCommand.self, RevokeEnvironmentCommand.self])
}

struct RevokeSessionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session", abstract: "Refuses sessions from now on.")

  @Argument(help: ArgumentHelp("Session ids: the `sid` of a JWT.", valueName: "session-id"))
  var sessions: [String]

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    for text in sessions where SessionID(text) == nil {
      throw ValidationError("\(text.debugDescription) is no session id: 36 characters, a UUID")
    }
  }

  func run() throws {
    let ids = sessions.compactMap { SessionID($0) }
    try options.order(ids.map { (.revoke($0), "session \($0)") })
  }
}

struct RevokeUserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "Refuses every JWT of a user that was issued until now.",
    discussion:
      "People sign in again and get a later one. Forward-auth, token checks and the feed know; look-ups of a session's id cannot."
  )

  @Argument(help: ArgumentHelp("The user's id: the `sub` of a JWT.", valueName: "user-id"))
  var user: String

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard SixteenBytes(uuid: Array(user.utf8).span) != nil else {
      throw ValidationError("\(user.debugDescription) is no user's id: 36 characters, a UUID")
    }
  }

  func run() throws {
    guard let id = SixteenBytes(uuid: Array(user.utf8).span) else { throw Failure.no }
    try options.order([(.cutOff(.user, id), "user \(id.uuidText)")])
  }
}

struct RevokeEnvironmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environment", abstract: "Refuses every JWT of the environment that was issued until now.",
    discussion:
      "Everybody signs in again. The environment is the one in dynamic.environment-id, whose id is to be typed, unless --yes."
  )

  @Flag(help: "Do not ask for the environment's id.")
  var yes = false

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    guard let environment = try options.load().dynamic.environmentID,
      let id = SixteenBytes(uuid: Array(environment.utf8).span)
    else { throw ValidationError("which environment? Set dynamic.environment-id, or DYNAMIC_ENVIRONMENT_ID") }
    if !yes {
      guard isatty(STDIN_FILENO) == 1 else {
        throw ValidationError(
          "everybody is logged out: add --yes, or run it on a terminal and type the environment's id")
      }
      Notice.write("Everybody in environment \(environment) is logged out. Type its id to go on: ")
      guard readLine()?.trimmingCharacters(in: .whitespaces).lowercased() == environment else {
        Notice.say("that is not its id; nothing was done")
        throw Failure.no
      }
    }
    try options.order([(.cutOff(.environment, id), "environment \(environment)")])
  }
}

extension ConfigurationOptions {
  /// Has the orders committed, and says so of each.
  fileprivate func order(_ orders: [(order: OperatorOrder, subject: String)]) throws {
    try withStore(.amend) { store, _ in
      let now = Timestamp(Date())
      for (order, subject) in orders {
        let outcome = try store.append([order.event(at: now)])
        try Output.line("\(subject): refused here\(outcome == [.duplicate] ? ", as it was before" : " from now on")")
      }
    }
  }
}
