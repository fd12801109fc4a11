/// What a verification or a rebuilding is working on.
package enum StoreStage: String, Hashable, Sendable {
  case pages
  case counts
  case events
  case revocations
  case index
}
