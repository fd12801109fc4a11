internal import ArgumentParser
internal import RevocationStore

/// A dead letter's id on the command line.
enum DeadLetterArgument {
  static func parse(_ text: String) throws -> DeadLetterID {
    guard let id = DeadLetterID(text) else {
      throw ValidationError(
        "a dead letter is named by its event and its handler, such as 17/audit, or 17 for all of it")
    }
    return id
  }

  /// What an id means: one dead letter, or all of an event. Throws, after naming each, when any of them is none: then nothing was done.
  static func letters(of ids: [DeadLetterID], _ store: RevocationStore) throws -> [DeadLetter] {
    var found: [DeadLetter] = []
    var missing: [DeadLetterID] = []
    for id in ids {
      // As many as there are handlers.
      let letters = try store.deadLetters(
        DeadLetterFilter(handler: id.handler, event: id.event), after: nil, limit: 10_000)
      if letters.isEmpty { missing.append(id) }
      found += letters.filter { letter in !found.contains { $0.id == letter.id } }
    }
    guard missing.isEmpty else {
      throw Failure.no(missing.map { "there is no dead letter \($0.description.visible())" }.joined(separator: "\n"))
    }
    return found
  }
}
