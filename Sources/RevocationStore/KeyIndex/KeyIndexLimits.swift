/// When an index writes and merges.
struct KeyIndexLimits: Sendable {
  /// So many keys are in memory alone: a start reads their rows, some ten megabytes.
  var recent = 16_384
  /// So many runs of a level become one of the next. A look-up asks that many filters a level, less one.
  var fanout = 4
}
