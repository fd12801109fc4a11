extension HandlerKind {
  /// Kinds that are read and checked already but that nothing runs yet. When the last one is there, this file goes and
  /// with it the one line that uses it.
  static let unavailable: Set<HandlerKind> = [.forward]
}
