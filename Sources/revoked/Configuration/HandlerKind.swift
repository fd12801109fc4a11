/// The `kind` of a handler, as written.
enum HandlerKind: String, Sendable, CaseIterable {
  case log, exec, forward
}
