internal import DynamicEvents
internal import Handlers

/// The events that Dynamic documents (PROTOCOL §1), to tell a slip from a choice. New ones appear at any time, so what is not here is a doubt,
/// and no error.
enum KnownEvents {
  private static let names: Set<String> = [
    EventNames.sessionRevoked, EventNames.adminSessionRevoked, "user.session.created", "user.created", "user.updated",
    "user.deleted", "user.merged", "waas.policy.violation",
  ]
  /// Too many to list.
  private static let families = ["wallet.", "admin."]
  /// The most letters that are a slip where any name may be right.
  private static let fewSlips = 2

  /// nil: the pattern matches something that is known.
  static func doubt(_ text: String) -> String? {
    let pattern = EventPattern(text)
    if names.contains(where: pattern.matches) { return nil }
    if text == EventNames.ping { return "a ping is answered and not stored, so no handler gets one" }
    let nearest = ConfigurationNames.nearest(
      to: text, in: names.union(["user.*", "user.session.*", "admin.*", "admin.user.session.*", "wallet.*"]))
    if families.contains(where: { text.hasPrefix($0) }) {
      guard let nearest, nearest != text, ConfigurationNames.slips(from: text, to: nearest) <= fewSlips else {
        return nil
      }
    }
    return "\(text.debugDescription) matches no event that is known" + (nearest.map { "; did you mean \($0)?" } ?? "")
  }
}
