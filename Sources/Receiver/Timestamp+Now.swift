internal import DynamicEvents
internal import Foundation

extension Timestamp {
  static var now: Timestamp { Timestamp(Date()) }

  /// None when `earlier` is later: the clock was set back.
  func seconds(since earlier: Timestamp) -> Double {
    Double(max(0, milliseconds - earlier.milliseconds)) / 1000
  }
}
