internal import ArgumentParser
internal import DynamicAPI
internal import DynamicEvents
internal import Foundation
internal import Storage

struct RevokeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Revokes a session, all of a user's, or all of an environment's.",
    discussion: """
      Takes effect here when the command returns, whether a server runs or not, and nothing takes it back. With \
      dynamic.api-token it is revoked at Dynamic as well, unless --local; the token needs the scope \
      environment.users.write. Exit 0 only if all was done; without a token that is the half here. Where one half \
      failed, exit 1, and what it says tells which; to do it again does no harm.
      """,
    subcommands: [RevokeSessionCommand.self, RevokeUserCommand.self, RevokeEnvironmentCommand.self])
}

struct RevokeSessionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session", abstract: "Revokes sessions.")

  @Argument(help: ArgumentHelp("Session ids: the `sid` of a JWT.", valueName: "session-id"))
  var sessions: [String]

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    for text in sessions where SessionID(text) == nil {
      throw ValidationError("\(text.debugDescription) is no session id: a UUID of 36 characters")
    }
  }

  func run() async throws {
    let revocations = sessions.compactMap { SessionID($0) }.map { id in
      Revocation(subject: "session \(id)", order: .revoke(id), doneAtDynamic: "revoked at Dynamic") {
        (api) async throws(APIError) in try await api.revokeSession(id)
      }
    }
    var work = try RevocationWork(try options.load(), isLocal: local)
    try work.refuseHere(revocations)
    try await work.revokeAtDynamic(revocations)
    try work.end()
  }
}

struct RevokeUserCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "Revokes every session of a user.",
    discussion: """
      Here, every JWT of the user that was issued until now is refused; with a later sign-in comes a later JWT. \
      Forward-auth, token checks and the feed know; look-ups of a session's id cannot.
      """)

  @Argument(help: ArgumentHelp("The user's id: the `sub` of a JWT.", valueName: "user-id"))
  var user: String

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    guard UUIDBytes(uuid: Array(user.utf8).span) != nil else {
      throw ValidationError("\(user.debugDescription) is no user's id: 36 characters, a UUID")
    }
  }

  func run() async throws {
    guard let id = UUIDBytes(uuid: Array(user.utf8).span) else { throw Failure.no }
    let text = id.uuidText
    let revocation = Revocation(
      subject: "user \(text)", order: .cutOff(.user, id), doneAtDynamic: "every session revoked at Dynamic"
    ) { (api) async throws(APIError) in try await api.revokeSessions(ofUser: text) }
    var work = try RevocationWork(try options.load(), isLocal: local)
    try work.refuseHere([revocation])
    try await work.revokeAtDynamic([revocation])
    try work.end()
  }
}

struct RevokeEnvironmentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environment", abstract: "Revokes every session of the environment.",
    discussion: """
      Everybody has to sign in again. Here, every JWT of the environment that was issued until now is refused. Dynamic \
      works through a queue, and does not say how far it is; --wait shows what arrives here, until none has come for a \
      minute.

      The environment is the one in dynamic.environment-id, whose id is to be typed, unless --yes.
      """)

  @Flag(help: "Do not ask for the environment's id.")
  var yes = false

  @Flag(help: "Show the revocations that arrive from Dynamic. Ctrl-C ends that, and takes nothing back.")
  var wait = false

  @Flag(help: "Only here, and not at Dynamic.")
  var local = false

  @OptionGroup var options: OutgoingOptions

  func validate() throws {
    if wait, local { throw ValidationError("with --local nothing comes from Dynamic to wait for") }
  }

  func run() async throws {
    let settings = try options.load()
    guard let environment = settings.dynamic.environmentID,
      let id = UUIDBytes(uuid: Array(environment.utf8).span)
    else { throw ValidationError("which environment? Set dynamic.environment-id, or DYNAMIC_ENVIRONMENT_ID") }
    if !yes { try confirm(environment) }
    let revocation = Revocation(
      subject: "environment \(environment)", order: .cutOff(.environment, id),
      doneAtDynamic: "Dynamic has put the revocation of every session into its queue, and works through it"
    ) { (api) async throws(APIError) in try await api.revokeAllSessions() }
    var work = try RevocationWork(settings, isLocal: local)
    try work.refuseHere([revocation])
    let arrivals = Arrivals(settings)
    try await work.revokeAtDynamic([revocation])
    if work.isDoneAtDynamic, let arrivals {
      try Output.line(Arrivals.text(arrivals.count) + (wait ? "" : "; --wait shows them coming in"))
      try Output.finish()
      if wait { try await arrivals.show() }
    }
    try work.end()
  }

  /// Throws unless a person types the environment's id.
  private func confirm(_ environment: String) throws {
    guard isatty(STDIN_FILENO) == 1 else {
      throw ValidationError("everybody is logged out: add --yes, or run it on a terminal and type the environment's id")
    }
    Notice.write("Everybody in environment \(environment) is logged out. Type its id to go on: ")
    guard readLine()?.trimmingCharacters(in: .whitespaces).lowercased() == environment else {
      throw Failure.no("that is not its id; nothing was done")
    }
  }
}
