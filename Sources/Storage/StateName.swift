/// What belongs to the store as a whole and changes seldom: a text for each name.
package enum StateName: String, Hashable, Sendable {
  /// When the store was made, in milliseconds since 1970: nothing from before is known.
  case createdAt = "created-at"
  /// How far events have been fetched from Dynamic's API.
  case catchUp = "catch-up"
  /// The environment's public keys, as they were fetched last.
  case keySet = "jwks"
  /// Starts that found that the one before had not ended by itself.
  case uncleanStarts = "unclean-starts"
}
