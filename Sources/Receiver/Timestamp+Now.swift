internal import DynamicEvents
internal import Foundation

extension Timestamp {
  static var now: Timestamp { Timestamp(Date()) }
}
